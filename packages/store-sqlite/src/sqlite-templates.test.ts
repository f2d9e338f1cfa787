import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { BuildRecord, Template } from '@torpor/core'
import { describe, expect, it } from 'vitest'

import { migrations } from './migrations/index.ts'
import { sampleEvent, sampleSandbox, sampleTemplate } from './samples.ts'
import { openStore } from './sqlite-store.ts'
import { temporaryStore } from './temporary-store.ts'

const template: Template = { id: 'mine0', names: ['mine', 'other'], isPublic: false, isBuiltIn: false, createdAt: 1, updatedAt: 1 }
const waiting = (id: string, patch: Partial<BuildRecord> = {}): BuildRecord => ({
  id,
  templateId: 'mine0',
  status: 'waiting',
  tags: ['default', id],
  resources: { cpuCount: 2, memoryMiB: 512, diskMiB: 1024 },
  reason: null,
  createdAt: 1,
  startedAt: null,
  finishedAt: null,
  ...patch,
})
const result = (buildId: string) =>
  sampleTemplate({
    templateId: 'mine0',
    buildId,
    names: ['mine', 'other'],
    image: { name: `${buildId}/g1`, kind: 'memory', engineVersion: 'e' },
    layer: 'layer-1',
  })

function opened() {
  const temporary = temporaryStore()
  const { store } = temporary
  const { templates } = store
  const finish = (id: string): boolean => {
    templates.register(template, waiting(id))
    templates.updateBuild(id, 'waiting', { status: 'building', startedAt: 2 })
    return templates.finish(result(id), 3)
  }
  return { store, templates, finish, [Symbol.dispose]: () => temporary[Symbol.dispose]() }
}

describe('builds', () => {
  it('are found by their tags once they are ready; until then by their id only', () => {
    using world = opened()
    const { store, templates, finish } = world
    templates.register(template, waiting('b1'))
    expect([templates.get('local/mine:any')?.id, templates.build('b1'), store.getTemplate('mine')]).toEqual([
      'mine0',
      waiting('b1'),
      undefined,
    ])
    expect(finish('b2')).toBe(true)
    const ready = { ...result('b2'), createdAt: 1 }
    for (const key of ['mine', 'other', 'mine0', 'mine:b2', 'local/mine:default', 'mine0:b2']) expect(store.getTemplate(key)).toEqual(ready)
    expect([store.getTemplate('mine:b1'), templates.buildsOf('mine0').map(({ id }) => id), store.allTemplates()]).toEqual([
      undefined,
      ['b2', 'b1'],
      [ready],
    ])
  })

  it('change only as long as they are as they were seen', () => {
    using world = opened()
    const { templates } = world
    templates.register(template, waiting('b1'))
    expect(templates.finish(result('b1'), 3)).toBe(false)
    expect(templates.updateBuild('b1', 'waiting', { status: 'building', startedAt: 2 })).toMatchObject({ status: 'building', startedAt: 2 })
    expect(templates.updateBuild('b1', 'waiting', { status: 'building', startedAt: 2 })).toBeUndefined()
    const reason = { message: 'why', step: '2' }
    expect(templates.building().map(({ id }) => id)).toEqual(['b1'])
    expect(templates.updateBuild('b1', 'building', { status: 'error', finishedAt: 4, reason })).toMatchObject({ status: 'error', reason })
    expect([templates.finish(result('b1'), 5), templates.building()]).toEqual([false, []])
  })

  it('are outdated when no tag points to them and no sandbox is of them', () => {
    using world = opened()
    const { store, templates, finish } = world
    finish('b1')
    finish('b2')
    expect(templates.outdated()).toEqual([])
    expect([templates.removeTags('mine0', ['b1', 'nothing']), templates.removeTags('mine0', ['b1'])]).toEqual([false, true])
    store.insertSandbox(sampleSandbox({ buildId: 'b1' }))
    expect(templates.outdated()).toEqual([])
    store.deleteSandbox(sampleSandbox().id, sampleEvent())
    expect(templates.outdated().map(({ buildId }) => buildId)).toEqual(['b1'])
    expect([store.isImageNamed('b1/g1'), templates.neededLayers()]).toEqual([true, ['layer-1']])
    templates.retire('b1')
    expect([store.isImageNamed('b1/g1'), templates.ready('b1'), templates.build('b1')?.status, templates.outdated()]).toEqual([
      false,
      undefined,
      'ready',
      [],
    ])
  })

  it('keep their log in order, by level and from an offset on; a deleted template leaves nothing', () => {
    using world = opened()
    const { store, templates, finish } = world
    finish('b1')
    const entry = (message: string, level: 'debug' | 'info' | 'error') => ({ at: 1, level, message, step: '1' })
    templates.appendLog('b1', [entry('a', 'info'), entry('b', 'debug'), entry('c', 'error'), entry('d', 'info')])
    const messages = (level: 'debug' | 'info' | 'error', offset: number, limit: number) =>
      templates.log('b1', { level, offset, limit }).map(({ message }) => message)
    expect([messages('debug', 1, 2), messages('info', 1, 100), messages('error', 0, 100)]).toEqual([['b', 'c'], ['c', 'd'], ['c']])
    expect([
      templates.delete('mine0'),
      templates.delete('mine0'),
      messages('debug', 0, 9),
      store.allImages(),
      templates.tags('mine0'),
    ]).toEqual([true, false, [], [], []])
  })
})

it('a template tells how often and when sandboxes were made from it', () => {
  using world = opened()
  const { store, templates, finish } = world
  finish('b1')
  for (const at of [10, 20]) store.recordEvent(sampleEvent({ templateId: 'mine0', name: 'created', at }))
  store.recordEvent(sampleEvent({ templateId: 'mine0', name: 'killed', at: 30 }))
  templates.setPublic('mine0', true, 40)
  expect(templates.list()).toEqual([{ ...template, isPublic: true, updatedAt: 40, spawnCount: 2, lastSpawnedAt: 20 }])
})

it('a key means the newest layer, or none; layers that lost their key stay', () => {
  using world = opened()
  const { store, templates } = world
  const layer = (id: string, usedAt: number) => ({
    id,
    key: 'k',
    bytes: 1,
    createdAt: 1,
    usedAt,
    image: { name: `${id}/g1`, kind: 'files' as const, engineVersion: 'e' },
  })
  templates.putLayer(layer('layer-1', 1))
  templates.putLayer(layer('layer-2', 2))
  templates.useLayer('layer-1', 9)
  expect([templates.cachedLayer('k')?.id, templates.layers().map(({ id, key }) => [id, key])]).toEqual([
    'layer-2',
    [
      ['layer-2', 'k'],
      ['layer-1', null],
    ],
  ])
  templates.forgetKeys(['k', 'nothing'])
  expect([templates.cachedLayer('k'), templates.layer('layer-2')?.key, store.isImageNamed('layer-2/g1')]).toEqual([undefined, null, true])
  templates.deleteLayer('layer-2')
  expect(store.isImageNamed('layer-2/g1')).toBe(false)
})

it('the templates of an earlier version are there after an update, with their names and what was made from them', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'torpor-old-'))
  const file = path.join(directory, 'torpor.db')
  const old = new DatabaseSync(file)
  for (const step of migrations.slice(0, 3)) old.exec(step)
  old.exec('PRAGMA user_version = 3')
  const { context: _, start: __, layer: ___, ...build } = sampleTemplate()
  old.prepare('INSERT INTO template VALUES (?, ?)').run('template1', JSON.stringify(build))
  for (const name of build.names) old.prepare('INSERT INTO template_name VALUES (?, ?)').run(name, 'template1')
  old.close()
  const store = openStore(file)
  expect([store.getTemplate('base'), store.getTemplate('default:default'), store.allImages()]).toEqual([
    sampleTemplate(),
    sampleTemplate(),
    [sampleTemplate().image],
  ])
  expect(store.templates.get('template1')).toMatchObject({ names: ['base', 'default'], isBuiltIn: true })
  store.close()
  rmSync(directory, { recursive: true })
})
