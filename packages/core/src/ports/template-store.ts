import type {
  BuildFailure,
  BuildLogEntry,
  BuildLogQuery,
  BuildRecord,
  Layer,
  Template,
  TemplateBuild,
  TemplateSummary,
  TemplateTag,
} from '../domain/template.ts'

/** What may change of a build before it is ready. */
export type BuildPatch =
  | { readonly status: 'building'; readonly startedAt: number }
  | { readonly status: 'error'; readonly finishedAt: number; readonly reason: BuildFailure }

/** Records of templates, their builds and what these are made from. Durable and synchronous, as the rest of the store. */
export interface TemplateStore {
  /** Adds a build; its template is made, or gets the names of this one. */
  register(template: Template, build: BuildRecord): void
  /** By id or name, with or without the namespace; a tag behind it is not looked at. */
  get(idOrName: string): TemplateSummary | undefined
  /** Newest first. */
  list(): TemplateSummary[]
  setPublic(id: string, isPublic: boolean, at: number): void
  /** With its builds, tags and logs; false when there was none. */
  delete(id: string): boolean

  build(buildId: string): BuildRecord | undefined
  /** Newest first. */
  buildsOf(templateId: string): BuildRecord[]
  /** All that are building. */
  building(): BuildRecord[]
  /** Compare-and-set: undefined when the build is in another state by now. */
  updateBuild(buildId: string, from: BuildRecord['status'], patch: BuildPatch): BuildRecord | undefined
  /** Makes it ready and lets its tags point to it; false when it is not building any more. */
  finish(build: TemplateBuild, at: number): boolean
  /** What creates from this very build start from; undefined when it is not ready, or was collected. */
  ready(buildId: string): TemplateBuild | undefined
  /** Ready builds to which no tag points and from which no sandbox was made. */
  outdated(): TemplateBuild[]
  /** The build stays in the history, but nothing can be started from it. */
  retire(buildId: string): void

  tags(templateId: string): TemplateTag[]
  setTags(templateId: string, buildId: string, tags: readonly string[], at: number): void
  /** False when one of them does not exist; then none is removed. */
  removeTags(templateId: string, tags: readonly string[]): boolean

  appendLog(buildId: string, entries: readonly BuildLogEntry[]): void
  log(buildId: string, query: BuildLogQuery): BuildLogEntry[]

  layer(id: string): Layer | undefined
  cachedLayer(key: string): Layer | undefined
  /** All of them, the one used longest ago first. */
  layers(): Layer[]
  /** Its key means this one from now on. */
  putLayer(layer: Layer): void
  useLayer(id: string, at: number): void
  /** These keys mean no layer any more; who rests on one of these still can. */
  forgetKeys(keys: readonly string[]): void
  deleteLayer(id: string): void
  /** Ids of the layers that ready builds rest on. */
  neededLayers(): string[]
}
