import {
  type BuildLogEntry,
  type BuildLogQuery,
  type BuildPatch,
  type BuildRecord,
  type Layer,
  type Template,
  type TemplateBuild,
  type TemplateStore,
  type TemplateSummary,
  type TemplateTag,
  logLevels,
} from '@torpor/core'
import { z } from 'zod'

import type { Statements } from './database.ts'
import { namedTemplate } from './template-names.ts'
import { buildFromRow, buildToRow, layerFromRow, logEntryFromRow, readyFromRow, readyToRow, templateFromRow } from './template-row.ts'

const names = `(SELECT coalesce(json_group_array(name), '[]') FROM
  (SELECT name FROM template_name WHERE template_name.template_id = TEMPLATE ORDER BY place))`
const namesOf = (column: string): string => names.replace('TEMPLATE', column)

const summary = `SELECT template.*, ${namesOf('template.id')} AS names,
  (SELECT count(*) FROM event WHERE event.template_id = template.id AND name = 'created') AS spawn_count,
  (SELECT max(at) FROM event WHERE event.template_id = template.id AND name = 'created') AS last_spawned_at
  FROM template`

const readyBuild = `SELECT build.*, ${namesOf('build.template_id')} AS names FROM build`

/** An id wins over another template's name that looks like it. */
const byKey = `(SELECT id FROM template WHERE id = :key UNION ALL
  SELECT template_id FROM template_name WHERE name = :key LIMIT 1)`

const tagRow = z.object({ tag: z.string(), build_id: z.string(), created_at: z.number() })
const keyRow = z.object({ layer: z.string() })

/** The tables of templates, builds and layers. */
export class SqliteTemplates implements TemplateStore {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  register(template: Template, build: BuildRecord): void {
    this.#statements.transaction(() => {
      this.#put(template)
      this.#statements.insert('build', buildToRow(build))
    })
  }

  #put({ id, names: given, isPublic, isBuiltIn, createdAt, updatedAt }: Template): void {
    this.#statements.run(
      `INSERT INTO template (id, public, built_in, created_at, updated_at) VALUES (:id, :public, :built_in, :created_at, :updated_at)
        ON CONFLICT (id) DO UPDATE SET public = excluded.public, updated_at = excluded.updated_at`,
      { id, public: isPublic ? 1 : 0, built_in: isBuiltIn ? 1 : 0, created_at: createdAt, updated_at: updatedAt },
    )
    this.#statements.run('DELETE FROM template_name WHERE template_id = :id', { id })
    for (const [place, name] of given.entries()) {
      this.#statements.run('INSERT OR REPLACE INTO template_name (name, template_id, place) VALUES (:name, :id, :place)', {
        name,
        id,
        place,
      })
    }
  }

  get(idOrName: string): TemplateSummary | undefined {
    const found = this.#statements.get(`${summary} WHERE template.id = ${byKey}`, { key: namedTemplate(idOrName).key })
    return found && templateFromRow(found)
  }

  list(): TemplateSummary[] {
    return this.#statements.all(`${summary} ORDER BY created_at DESC, id`).map(templateFromRow)
  }

  setPublic(id: string, isPublic: boolean, at: number): void {
    this.#statements.run('UPDATE template SET public = :public, updated_at = :at WHERE id = :id', { id, public: isPublic ? 1 : 0, at })
  }

  delete(id: string): boolean {
    return this.#statements.run('DELETE FROM template WHERE id = :id', { id }) === 1
  }

  build(buildId: string): BuildRecord | undefined {
    const found = this.#statements.get('SELECT * FROM build WHERE id = :id', { id: buildId })
    return found && buildFromRow(found)
  }

  buildsOf(templateId: string): BuildRecord[] {
    const sql = 'SELECT * FROM build WHERE template_id = :id ORDER BY created_at DESC, rowid DESC'
    return this.#statements.all(sql, { id: templateId }).map(buildFromRow)
  }

  building(): BuildRecord[] {
    return this.#statements.all("SELECT * FROM build WHERE status = 'building'").map(buildFromRow)
  }

  updateBuild(buildId: string, from: BuildRecord['status'], patch: BuildPatch): BuildRecord | undefined {
    const columns =
      patch.status === 'building'
        ? { status: patch.status, started_at: patch.startedAt }
        : { status: patch.status, finished_at: patch.finishedAt, reason: JSON.stringify(patch.reason) }
    const sets = Object.keys(columns).map((name) => `${name} = :${name}`)
    const sql = `UPDATE build SET ${sets.join(', ')} WHERE id = :id AND status = :was RETURNING *`
    return this.#statements.all(sql, { ...columns, id: buildId, was: from }).map(buildFromRow)[0]
  }

  finish(build: TemplateBuild, at: number): boolean {
    const { buildId, templateId } = build
    const columns = readyToRow(build)
    const sets = Object.keys(columns).map((name) => `${name} = :${name}`)
    return this.#statements.transaction(() => {
      const sql = `UPDATE build SET status = 'ready', finished_at = :at, ${sets.join(', ')} WHERE id = :id AND status = 'building' RETURNING tags`
      const [found] = this.#statements.all(sql, { ...columns, at, id: buildId })
      if (!found) return false
      const tags = z.array(z.string()).parse(JSON.parse(z.object({ tags: z.string() }).parse(found).tags))
      this.#tag(templateId, buildId, tags, at)
      this.#statements.run('UPDATE template SET updated_at = :at WHERE id = :id', { id: templateId, at })
      return true
    })
  }

  ready(buildId: string): TemplateBuild | undefined {
    const found = this.#statements.get(`${readyBuild} WHERE build.id = :id AND image IS NOT NULL`, { id: buildId })
    return found && readyFromRow(found)
  }

  /** As `Store.getTemplate`. */
  tagged(idOrName: string): TemplateBuild | undefined {
    const { key, tag } = namedTemplate(idOrName)
    const sql = `${readyBuild} WHERE image IS NOT NULL AND
      build.id = (SELECT build_id FROM template_tag WHERE template_tag.template_id = ${byKey} AND tag = :tag)`
    const found = this.#statements.get(sql, { key, tag })
    return found && readyFromRow(found)
  }

  /** As `Store.allTemplates`. */
  allTagged(): TemplateBuild[] {
    return this.#statements
      .all(`${readyBuild} WHERE image IS NOT NULL AND build.id IN (SELECT build_id FROM template_tag)`)
      .map(readyFromRow)
  }

  /** As `Store.putTemplate`. */
  putBuiltIn(build: TemplateBuild): void {
    const { templateId: id, buildId, createdAt: at } = build
    const times = { createdAt: at, startedAt: at, finishedAt: at }
    const record: BuildRecord = {
      id: buildId,
      templateId: id,
      status: 'ready',
      tags: ['default'],
      resources: build.resources,
      reason: null,
      ...times,
    }
    this.#statements.transaction(() => {
      this.#put({ id, names: build.names, isPublic: true, isBuiltIn: true, createdAt: at, updatedAt: at })
      this.#statements.run('DELETE FROM build WHERE template_id = :id', { id })
      this.#statements.insert('build', { ...buildToRow(record), ...readyToRow(build) })
      this.#tag(id, buildId, ['default'], at)
    })
  }

  outdated(): TemplateBuild[] {
    const sql = `${readyBuild} WHERE image IS NOT NULL AND build.id NOT IN (SELECT build_id FROM template_tag)
      AND NOT EXISTS (SELECT 1 FROM sandbox WHERE sandbox.build_id = build.id)`
    return this.#statements.all(sql).map(readyFromRow)
  }

  retire(buildId: string): void {
    this.#statements.run('UPDATE build SET image = NULL, layer = NULL WHERE id = :id', { id: buildId })
  }

  tags(templateId: string): TemplateTag[] {
    const sql = 'SELECT tag, build_id, created_at FROM template_tag WHERE template_id = :id ORDER BY created_at DESC, tag'
    return this.#statements.all(sql, { id: templateId }).map((found) => {
      const { tag, build_id, created_at } = tagRow.parse(found)
      return { tag, buildId: build_id, createdAt: created_at }
    })
  }

  setTags(templateId: string, buildId: string, tags: readonly string[], at: number): void {
    this.#statements.transaction(() => this.#tag(templateId, buildId, tags, at))
  }

  #tag(templateId: string, buildId: string, tags: readonly string[], at: number): void {
    const sql = `INSERT INTO template_tag (template_id, tag, build_id, created_at) VALUES (:template, :tag, :build, :at)
      ON CONFLICT (template_id, tag) DO UPDATE SET build_id = excluded.build_id, created_at = excluded.created_at`
    for (const tag of tags) this.#statements.run(sql, { template: templateId, tag, build: buildId, at })
  }

  removeTags(templateId: string, tags: readonly string[]): boolean {
    return this.#statements.transaction(() => {
      const known = new Set(this.tags(templateId).map(({ tag }) => tag))
      if (!tags.every((tag) => known.has(tag))) return false
      const sql = 'DELETE FROM template_tag WHERE template_id = :template AND tag = :tag'
      for (const tag of tags) this.#statements.run(sql, { template: templateId, tag })
      return true
    })
  }

  appendLog(buildId: string, entries: readonly BuildLogEntry[]): void {
    this.#statements.transaction(() => {
      for (const { at, level, message, step } of entries) {
        this.#statements.insert('build_log', { build_id: buildId, at, level: logLevels.indexOf(level), message, step })
      }
    })
  }

  log(buildId: string, { level, offset, limit }: BuildLogQuery): BuildLogEntry[] {
    const sql = `SELECT at, level, message, step FROM build_log WHERE build_id = :build AND level >= :level
      ORDER BY number LIMIT :limit OFFSET :offset`
    return this.#statements.all(sql, { build: buildId, level: logLevels.indexOf(level), limit, offset }).map(logEntryFromRow)
  }

  layer(id: string): Layer | undefined {
    const found = this.#statements.get('SELECT * FROM layer WHERE id = :id', { id })
    return found && layerFromRow(found)
  }

  cachedLayer(key: string): Layer | undefined {
    const found = this.#statements.get('SELECT * FROM layer WHERE key = :key', { key })
    return found && layerFromRow(found)
  }

  layers(): Layer[] {
    return this.#statements.all('SELECT * FROM layer ORDER BY used_at, id').map(layerFromRow)
  }

  putLayer({ id, key, image, bytes, createdAt, usedAt }: Layer): void {
    this.#statements.transaction(() => {
      if (key !== null) this.#forgetKey(key)
      this.#statements.insert('layer', { id, key, image: JSON.stringify(image), bytes, created_at: createdAt, used_at: usedAt })
    })
  }

  useLayer(id: string, at: number): void {
    this.#statements.run('UPDATE layer SET used_at = :at WHERE id = :id', { id, at })
  }

  forgetKeys(keys: readonly string[]): void {
    this.#statements.transaction(() => keys.forEach((key) => this.#forgetKey(key)))
  }

  #forgetKey(key: string): void {
    this.#statements.run('UPDATE layer SET key = NULL WHERE key = :key', { key })
  }

  deleteLayer(id: string): void {
    this.#statements.run('DELETE FROM layer WHERE id = :id', { id })
  }

  neededLayers(): string[] {
    const sql = 'SELECT DISTINCT layer FROM build WHERE layer IS NOT NULL AND image IS NOT NULL'
    return this.#statements.all(sql).map((found) => keyRow.parse(found).layer)
  }
}
