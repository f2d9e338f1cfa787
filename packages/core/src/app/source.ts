import { TorporError } from '@torpor/contract'

import type { Base, Resources, TemplateBuild } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'
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

/** Finds a template or a snapshot by id or name, with or without tag. @throws TorporError `not_found`. */
export function findSource({ store, tokens }: Pick<Ports, 'store' | 'tokens'>, asked: string): Source {
  const build = findBuild(store, asked)
  if (build) return { ...build, alias: build.names[0] ?? null, env: {}, holder: null }
  const snapshot = store.getSnapshot(asked)
  if (!snapshot) throw new TorporError('not_found', `template '${asked}' not found`)
  const { id, secure, sandboxId, image, base, resources, env } = snapshot
  const holder = secure ? tokens.access(sandboxId) : null
  return { templateId: id, buildId: id, alias: snapshot.name, image, base, resources, env, holder }
}

/** The ready build of the template of that id or name; `:default` may stand behind it. */
export function findBuild(store: Ports['store'], asked: string): TemplateBuild | undefined {
  return store.getTemplate(asked.endsWith(':default') ? asked.slice(0, -':default'.length) : asked)
}
