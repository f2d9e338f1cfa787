import { setImmediate } from 'node:timers/promises'

import type { StartBuildCommand } from '../app/templates/start-build.ts'
import type { BuildLogEntry, BuildRecord } from '../domain/template.ts'
import type { World } from './world.ts'

/** A build as tests ask for it: commands for the fake agent (`fake-commands.ts`), or whole steps. */
export interface BuildWish extends Omit<Partial<StartBuildCommand>, 'steps'> {
  readonly name?: string
  readonly tags?: readonly string[]
  readonly steps?: readonly (string | StartBuildCommand['steps'][number])[]
}

export interface Begun {
  readonly templateId: string
  readonly buildId: string
}

/** Registers and starts a build. */
export async function beginBuild(world: World, { name = 'mine', tags = [], steps = [], ...wish }: BuildWish = {}): Promise<Begun> {
  const { template, build } = world.useCases.registerTemplate({ name, tags })
  const given = steps.map((step) => (typeof step === 'string' ? { type: 'RUN', args: [step] } : step))
  await world.useCases.startBuild(template.id, build.id, { fromTemplate: 'base', force: false, ...wish, steps: given })
  return { templateId: template.id, buildId: build.id }
}

/** Resolves when the build has ended; time passes only as the build waits for it. */
export async function ended(world: World, { buildId }: Begun): Promise<BuildRecord> {
  for (;;) {
    const build = world.store.templates.build(buildId)
    if (build?.status !== 'building' && build?.status !== 'waiting' && build) return build
    await setImmediate()
    const { untilNext } = world.life.clock
    if (untilNext <= 2000) await world.life.clock.advance(untilNext)
  }
}

export const build = async (world: World, wish: BuildWish = {}): Promise<BuildRecord & Begun> => {
  const begun = await beginBuild(world, wish)
  return { ...(await ended(world, begun)), ...begun }
}

/** Everything that the build wrote. */
export const logOf = ({ useCases }: World, { templateId, buildId }: Begun): BuildLogEntry[] => [
  ...useCases.getBuild(templateId, buildId, { level: 'debug', offset: 0, limit: 100_000 }).entries,
]

/** The commands that ran as steps, in a log: what was cached is not among them. */
export const ranIn = (entries: readonly BuildLogEntry[]): string[] =>
  entries.filter(({ message }) => message.startsWith('RUN ')).map(({ message }) => message.slice('RUN '.length))
