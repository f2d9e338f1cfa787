import { TorporError } from '@torpor/contract'

import type { ProcessDefaults } from '../domain/process-defaults.ts'
import type { Base, Resources } from '../domain/sandbox.ts'
import { type TemplateBuild, baseContext } from '../domain/template.ts'
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
  readonly defaults: ProcessDefaults | null
}

/**
 * Finds a template or a snapshot by id or name, with or without tag. @throws TorporError `not_found`, `invalid_argument` for a
 * template without a ready build (protocol.md 2.5), `unavailable` for one that is still being prepared.
 */
export function findSource(ports: SourcePorts, asked: string): Source {
  const { store, tokens } = ports
  const build = readyBuild(ports, asked)
  if (build) return { ...build, alias: build.names[0] ?? null, env: build.context.env, defaults: defaultsOf(build), holder: null }
  const snapshot = store.getSnapshot(asked)
  if (!snapshot) throw notThere(store, asked)
  const { id, secure, sandboxId, image, base, resources, env, defaults } = snapshot
  const holder = secure ? tokens.access(sandboxId) : null
  return { templateId: id, buildId: id, alias: snapshot.name, image, base, resources, env, defaults, holder }
}

/** A template's ready build. @throws TorporError as `findSource`. */
export function requireBuild(ports: SourcePorts, asked: string): TemplateBuild {
  const build = readyBuild(ports, asked)
  if (!build) throw notThere(ports.store, asked)
  return build
}

type SourcePorts = Pick<Ports, 'store' | 'tokens' | 'preparations' | 'engine' | 'clock'>

function readyBuild({ store, preparations, engine, clock }: SourcePorts, asked: string): TemplateBuild | undefined {
  const build = store.getTemplate(asked)
  const preparation = preparations.find(build?.names[0] ?? withoutTag(asked))
  // A build of an earlier start serves until the new one is ready, if this engine can restore it.
  if (preparation && build?.image.engineVersion !== engine.version) throw notReady(preparation, clock.now())
  return build
}

/** null where the build has set neither: then the agent begins in the home of whoever asks, root's too. */
function defaultsOf({ context: { user, workdir } }: TemplateBuild): ProcessDefaults | null {
  return user === baseContext.user && workdir === baseContext.workdir ? null : { user, workdir }
}

function notThere({ templates }: Ports['store'], asked: string): TorporError {
  const template = templates.get(asked)
  if (!template) return new TorporError('not_found', `template '${asked}' not found`)
  const [newest] = templates.buildsOf(template.id)
  const why = newest?.status === 'error' ? `its last build failed: ${newest.reason?.message ?? 'without a reason'}` : 'build it first'
  return new TorporError('invalid_argument', `template '${asked}' has no ready build with that tag; ${why}`)
}

const withoutTag = (asked: string): string => (asked.endsWith(':default') ? asked.slice(0, -':default'.length) : asked)
