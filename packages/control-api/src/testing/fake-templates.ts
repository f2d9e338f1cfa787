import { TorporError } from '@torpor/contract'
import type { BuildLogQuery, BuildRecord, RegisterCommand, StartBuildCommand, TemplateDetail, UseCases } from '@torpor/core'

import { newBuild, newTemplate } from './samples.ts'

type TemplateCases = Pick<
  UseCases,
  | 'registerTemplate'
  | 'startBuild'
  | 'getBuild'
  | 'getTemplate'
  | 'listTemplates'
  | 'setTemplatePublic'
  | 'assignTags'
  | 'removeTags'
  | 'templateTags'
>

/** The template part of the use cases over a list, with what was asked. A build is over as soon as it is started. */
export class FakeTemplates implements TemplateCases {
  readonly templates: TemplateDetail[] = []
  readonly asked: { readonly name: string; readonly with: unknown }[] = []
  /** What each build ends with. */
  outcome: Pick<BuildRecord, 'status' | 'reason'> = { status: 'ready', reason: null }
  logLines = 3

  registerTemplate(command: RegisterCommand) {
    this.asked.push({ name: 'register', with: command })
    const [name = '', tag = 'default'] = command.name.split(':')
    const known = this.templates.find(({ names }) => names.includes(name))
    const template = known ?? newTemplate({ names: [name] })
    const build = newBuild({ templateId: template.id, tags: [tag, ...command.tags] })
    this.#put({ ...template, builds: [build, ...template.builds] })
    return { template, build }
  }

  async startBuild(templateId: string, buildId: string, command: StartBuildCommand): Promise<void> {
    this.asked.push({ name: 'start', with: command })
    const template = this.getTemplate(templateId)
    this.#put({ ...template, builds: template.builds.map((build) => (build.id === buildId ? { ...build, ...this.outcome } : build)) })
  }

  getBuild(templateId: string, buildId: string, { offset, limit }: BuildLogQuery) {
    this.asked.push({ name: 'log', with: offset })
    const build = this.getTemplate(templateId).builds.find(({ id }) => id === buildId)
    if (!build) throw new TorporError('not_found', `build '${buildId}' not found`)
    const all = Array.from({ length: this.logLines }, (_, index) => ({
      at: index,
      level: 'info' as const,
      message: `line ${index}`,
      step: '1',
    }))
    return { build, entries: all.slice(offset, offset + limit) }
  }

  getTemplate(idOrName: string): TemplateDetail {
    const key = idOrName.replace('local/', '')
    const found = this.templates.find(({ id, names }) => id === key || names.includes(key))
    if (!found) throw new TorporError('not_found', `template '${idOrName}' not found`)
    return found
  }

  listTemplates(): TemplateDetail[] {
    return this.templates
  }

  setTemplatePublic(idOrName: string, isPublic: boolean): TemplateDetail {
    const template = { ...this.getTemplate(idOrName), isPublic }
    this.#put(template)
    return template
  }

  assignTags(target: string, tags: readonly string[]) {
    this.asked.push({ name: 'assign tags', with: { target, tags } })
    return { buildId: this.getTemplate(target.split(':')[0] ?? '').builds[0]?.id ?? '', tags }
  }

  removeTags(name: string, tags: readonly string[]): void {
    this.getTemplate(name)
    this.asked.push({ name: 'remove tags', with: { name, tags } })
  }

  templateTags(idOrName: string) {
    return this.getTemplate(idOrName).builds.flatMap(({ id, tags }) => tags.map((tag) => ({ tag, buildId: id, createdAt: 1 })))
  }

  #put(template: TemplateDetail): void {
    const index = this.templates.findIndex(({ id }) => id === template.id)
    if (index === -1) this.templates.unshift(template)
    else this.templates[index] = template
  }
}
