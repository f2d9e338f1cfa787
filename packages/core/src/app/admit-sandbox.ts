import { admit } from '../domain/admission.ts'
import type { Resources } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'

/**
 * Refuses a sandbox for which there is no memory beside those that hold some or are about to: creating, running, and paused ones
 * on their way back. The next one must see this one: nothing may be awaited between this and what makes it count.
 */
export function admitSandbox({ store, transitions, settings }: Pick<Ports, 'store' | 'transitions' | 'settings'>, wanted: Resources): void {
  const returning = transitions.doing('resume').map((id) => store.getSandbox(id))
  const holding = [
    ...store.allSandboxes('creating'),
    ...store.allSandboxes('running'),
    ...returning.filter((record) => record?.state === 'paused'),
  ]
  admit(
    holding.filter((record) => record !== undefined),
    wanted,
    settings.memoryLimitMiB,
  )
}
