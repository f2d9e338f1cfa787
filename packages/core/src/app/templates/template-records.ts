import { TorporError } from '@torpor/contract'

import type { BuildLogEntry, BuildLogQuery, BuildRecord, TemplateSummary, TemplateTag } from '../../domain/template.ts'
import type { Ports } from '../ports.ts'
import { requireTag } from './register-template.ts'

type Store = Ports['store']

const templateNotFound = (asked: string): TorporError => new TorporError('not_found', `template '${asked.slice(0, 256)}' not found`)

/** By id or name. @throws TorporError `not_found`. */
export function requireTemplate(store: Store, asked: string): TemplateSummary {
  const template = store.templates.get(asked)
  if (!template) throw templateNotFound(asked)
  return template
}

/** @throws TorporError `not_found`. */
export function requireBuild(store: Store, templateId: string, buildId: string): BuildRecord {
  const template = requireTemplate(store, templateId)
  const build = store.templates.build(buildId)
  if (build?.templateId !== template.id)
    throw new TorporError('not_found', `build '${buildId.slice(0, 64)}' of template '${templateId}' not found`)
  return build
}

/** A template with all its builds, newest first. */
export interface TemplateDetail extends TemplateSummary {
  readonly builds: readonly BuildRecord[]
}

export function templateDetail({ store }: Pick<Ports, 'store'>, template: TemplateSummary): TemplateDetail {
  return { ...template, builds: store.templates.buildsOf(template.id) }
}

/** A build and what it wrote. */
export interface BuildView {
  readonly build: BuildRecord
  readonly entries: readonly BuildLogEntry[]
}

/** The state is looked at first: who sees the end of a build has all it wrote, now or with the next offsets. */
export function buildView({ store, builds }: Ports, templateId: string, buildId: string, query: BuildLogQuery): BuildView {
  const build = requireBuild(store, templateId, buildId)
  builds.job(buildId)?.log.flush()
  return { build, entries: store.templates.log(buildId, query) }
}

/** Lets more tags point to the build to which `target` (`<name>[:<tag>]`) points. @throws TorporError `not_found`. */
export function assignTags({ store, clock }: Ports, target: string, tags: readonly string[]): { buildId: string; tags: string[] } {
  const build = store.getTemplate(target)
  if (!build) throw templateNotFound(target)
  if (tags.length === 0) throw new TorporError('invalid_argument', 'tags: at least one is needed')
  const checked = [...new Set(tags.map(requireTag))]
  store.templates.setTags(build.templateId, build.buildId, checked, clock.now())
  return { buildId: build.buildId, tags: checked }
}

/** @throws TorporError `not_found`, `invalid_argument` for `default` of a built-in template. */
export function removeTags(ports: Ports, name: string, tags: readonly string[]): void {
  const template = requireTemplate(ports.store, name)
  if (template.isBuiltIn && tags.includes('default'))
    throw new TorporError('invalid_argument', `tags: 'default' of '${name}' is needed by Torpor itself`)
  if (!ports.store.templates.removeTags(template.id, tags)) {
    throw new TorporError('not_found', `template '${name}' does not have all of the tags ${tags.join(', ')}`)
  }
  ports.nudge()
}

export const tagsOf = ({ store }: Pick<Ports, 'store'>, asked: string): TemplateTag[] =>
  store.templates.tags(requireTemplate(store, asked).id)

/** Shows a template to everybody who has a key, or to its owner only: on one machine of one owner that is the same. */
export function setTemplatePublic({ store, clock }: Ports, asked: string, isPublic: boolean): TemplateSummary {
  const { id } = requireTemplate(store, asked)
  store.templates.setPublic(id, isPublic, clock.now())
  return requireTemplate(store, id)
}
