import { TorporError } from '@torpor/contract'

import type { Base, Resources, TemplateBuild } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'
import { notReady } from './prepare-template.ts'
import type { Seed } from './start-execution.ts'

/** What a create starts from: a template's build or a snapshot. */
export interface Source extends Seed {
  readonly templateId: string
  readonly buildId: string
  readonly alias: string | null
  readonly base: Base
  readonly resources: Resources
  /** Environment that is there unless the create says otherwise. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Finds a template or a snapshot by id or name, with or without tag.
 * @throws TorporError `not_found`; `unavailable` for a template that is still being prepared.
 */
export function findSource(ports: Pick<Ports, 'store' | 'tokens' | 'preparations' | 'engine' | 'clock'>, asked: string): Source {
  const { store, tokens, preparations, engine, clock } = ports
  const build = findBuild(store, asked)
  const preparation = preparations.find(build?.names[0] ?? withoutTag(asked))
  // A build of an earlier start serves until the new one is ready, if this engine can restore it.
  if (preparation && build?.image.engineVersion !== engine.version) throw notReady(preparation, clock.now())
  if (build) return { ...build, alias: build.names[0] ?? null, env: {}, holder: null }
  const snapshot = store.getSnapshot(asked)
  if (!snapshot) throw new TorporError('not_found', `template '${asked}' not found`)
  const { id, secure, sandboxId, image, base, resources, env } = snapshot
  const holder = secure ? tokens.access(sandboxId) : null
  return { templateId: id, buildId: id, alias: snapshot.name, image, base, resources, env, holder }
}

/** The ready build of the template of that id or name; `:default` may stand behind it. */
export function findBuild(store: Ports['store'], asked: string): TemplateBuild | undefined {
  return store.getTemplate(withoutTag(asked))
}

const withoutTag = (asked: string): string => (asked.endsWith(':default') ? asked.slice(0, -':default'.length) : asked)
