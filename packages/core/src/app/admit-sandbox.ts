import { admit } from '../domain/admission.ts'
import type { Resources } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'

/** Sandboxes that hold memory or are about to: creating, running, on their way to sleep or back, and those in which builds work. */
export function activeSandboxes({ store, transitions, builds }: Pick<Ports, 'store' | 'transitions' | 'builds'>) {
  const returning = transitions.doing('resume').map((id) => store.getSandbox(id))
  return [
    ...store.allSandboxes('creating'),
    ...store.allSandboxes('running'),
    ...store.allSandboxes('pausing'),
    ...returning.filter((record) => record !== undefined).filter((record) => record.state === 'paused'),
    ...builds.benches,
  ]
}

/**
 * Refuses a sandbox for which there is no memory, no processor or no place beside the active ones. The next one must see this
 * one: nothing may be awaited between this and what makes it count.
 */
export function admitSandbox(ports: Pick<Ports, 'store' | 'transitions' | 'builds' | 'settings'>, wanted: Resources): void {
  admit(activeSandboxes(ports), wanted, ports.settings)
}
