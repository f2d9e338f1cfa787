import { isKind } from '@torpor/contract'

import { admit } from '../domain/admission.ts'
import type { ImageRef, Resources, SandboxRecord } from '../domain/sandbox.ts'
import { type Space, requireSpace, spaceNeed } from '../domain/space.ts'
import type { Ports } from './ports.ts'

type Admission = Pick<Ports, 'store' | 'transitions' | 'builds' | 'settings' | 'volume' | 'engine' | 'holdings' | 'clock'>

/** What holds memory and room, or is about to. */
interface Active {
  readonly resources: Resources
  /** undefined: a build's. */
  readonly id?: string
  readonly execution?: string | null
  /** Of a build's: bytes of files that it shares with a layer. */
  readonly heldBytes?: number
}

/** Sandboxes that hold memory or are about to: creating, running, on their way to sleep or back, and those in which builds work. */
export function activeSandboxes({ store, transitions, builds }: Pick<Ports, 'store' | 'transitions' | 'builds'>): Active[] {
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
 * Refuses a sandbox for which there is no memory, no processor, no place beside the active ones, or no room on the volume, for what it may
 * write and for the files (`heldBytes`) that it shares with an image. The next one must see this one: nothing may be awaited between this and
 * what makes it count.
 */
export function admitSandbox(ports: Admission, wanted: Resources, heldBytes: number): void {
  admit(activeSandboxes(ports), wanted, ports.settings)
  if (!ports.volume.shares) return
  const space = spaceOf(ports)
  const needed = spaceNeed(wanted, heldBytes, ports.settings.diskReserveMiB)
  requireSpace(space, needed, 'another sandbox')
  keepPromises(ports, space.promisedBytes + needed)
}

/**
 * To be called before `admitSandbox`, with the image that the sandbox is made of: gives the bytes of files that it will share, and looks at
 * the others when there may be too little room. @throws TorporError `not_found`, `damaged`.
 */
export async function lookBeforeAdmission(ports: Ports, wanted: Resources, image: ImageRef | undefined): Promise<number> {
  if (!ports.volume.shares) return 0
  const held = image ? await ports.holdings.ofImage(ports.images, image) : 0
  await lookWhenShort(ports, spaceNeed(wanted, held, ports.settings.diskReserveMiB))
  return held
}

/**
 * Refuses a copy of a running sandbox when the volume has no room for the copy itself and for all that the sandbox may then write anew.
 * @throws TorporError `exhausted`.
 */
export async function admitCopy(ports: Ports, { id, resources }: SandboxRecord, copyBytes: number): Promise<void> {
  if (!ports.volume.shares) return
  await lookWhenShort(ports, copyBytes)
  requireSpace(spaceOf(ports), copyBytes + ownMemory(ports, id, resources), 'a copy of this sandbox')
}

/** What is promised has to be there below the volume as well. */
export const keepPromises = ({ engine, volume }: Pick<Ports, 'engine' | 'volume'>, bytes: number): void =>
  engine.keepFree(bytes + volume.unbackedBytes())

/** What is free of the volume, and what active sandboxes may still take of that. */
export function spaceOf(ports: Omit<Admission, 'engine'>): Space {
  const active = activeSandboxes(ports)
  const promisedBytes = active.reduce((sum, each) => sum + needOf(ports, each), 0)
  return { freeBytes: ports.volume.freeBytes(), promisedBytes, holders: active.length }
}

function needOf({ settings, holdings, clock }: Omit<Admission, 'engine'>, { id, resources, heldBytes }: Active): number {
  const held = heldBytes ?? (id === undefined ? 0 : (holdings.filesOf(id) ?? 0))
  return spaceNeed(resources, held, settings.diskReserveMiB) - (id === undefined ? 0 : ownMemory({ holdings, clock }, id, resources))
}

const ownMemory = ({ holdings, clock }: Pick<Ports, 'holdings' | 'clock'>, id: string, { memoryMiB }: Resources): number =>
  Math.min(holdings.ownMemoryOf(id, clock.now()), memoryMiB * mebibyte)

const mebibyte = 1024 * 1024

/** When there is too little room for so many bytes more, takes a look at what needs none: that is not cheap. */
export async function lookWhenShort(ports: Admission, neededBytes: number): Promise<void> {
  const { freeBytes, promisedBytes } = spaceOf(ports)
  if (promisedBytes + neededBytes > freeBytes) await lookAtMemory(ports)
}

/** Notes what active sandboxes share with nobody of their memory: they need no more room for that. */
async function lookAtMemory(ports: Admission): Promise<void> {
  const { engine, holdings, clock, transitions } = ports
  const looks = activeSandboxes(ports).map(async ({ id, execution }) => {
    // What is being done to one may be a capture, after which nothing is its own.
    if (id === undefined || !execution || transitions.current(id) !== undefined) return
    await holdings.lookAtMemory(id, clock.now(), async () => {
      const [{ allocatedBytes, sharedBytes }, { diskBytes }] = await Promise.all([engine.space({ execution }), engine.stats(execution)])
      return Math.max(0, allocatedBytes - sharedBytes - diskBytes)
    })
  })
  for (const { reason } of (await Promise.allSettled(looks)).filter((look) => look.status === 'rejected')) {
    // One that ends or is being made is looked at the next time.
    if (!isKind(reason, 'not_found', 'unavailable', 'conflict')) throw reason
  }
}
