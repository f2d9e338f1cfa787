import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { initTemplate } from './building.ts'
import { readRecipe } from './recipe.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'torpor-recipe-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const put = (name: string, content: string): void => writeFileSync(path.join(directory, name), content)

describe('a recipe', () => {
  it('comes from the files of either family, and the command line counts first', () => {
    put('novita.Dockerfile', 'FROM debian:12\nCMD ["serve", "it"]\n')
    put('novita.toml', 'template_id = "t1"\ntemplate_name = "shop"\nstart_cmd = "run"\nready_cmd = "ready"\ncpu_count = 1\nteam_id = "x"\n')
    const read = readRecipe(undefined, { path: directory, memoryMb: 512 })
    expect(read).toMatchObject({ name: 'shop', directory, startCmd: 'run', readyCmd: 'ready', cpuCount: 1, memoryMb: 512 })
    expect(read.plan.stages).toMatchObject([{ fromImage: 'debian:12' }])
    expect(readRecipe('other', { path: directory, cmd: 'mine', cpuCount: 2 })).toMatchObject({
      name: 'other',
      startCmd: 'mine',
      cpuCount: 2,
    })
  })

  it('takes CMD for the start command only when asked', () => {
    put('Dockerfile', 'FROM debian:12\nCMD ["serve", "it all"]\n')
    expect(readRecipe('a', { path: directory }).startCmd).toBeUndefined()
    expect(readRecipe('a', { path: directory, dockerCmd: true }).startCmd).toBe("serve 'it all'")
  })

  it.each([
    [{ Dockerfile: 'FROM a\n' }, 'the template has no name'],
    [{ 'e2b.toml': 'template_name = "a"' }, 'there is no e2b.Dockerfile'],
    [{ Dockerfile: 'FROM a\n\nONBUILD RUN x\n', 'e2b.toml': 'template_name = "a"' }, 'Dockerfile line 3: ONBUILD'],
    [{ Dockerfile: 'FROM a', 'e2b.toml': 'template_name = "a"\ncpu_count = "many"' }, 'e2b.toml cannot be understood: cpu_count'],
    [{ Dockerfile: 'FROM a', 'e2b.toml': 'template_name = ' }, 'e2b.toml cannot be understood'],
  ])('is refused before anything runs: %j', (files, message) => {
    for (const [name, content] of Object.entries(files)) put(name, content)
    expect(() => readRecipe(undefined, { path: directory })).toThrow(message)
  })

  it('may begin with what init writes, which is never written over', () => {
    initTemplate('e2b', { path: directory, name: 'shop' })
    expect(readRecipe(undefined, { path: directory })).toMatchObject({ name: 'shop', plan: { stages: [{ fromImage: 'e2bdev/base' }] } })
    expect(() => initTemplate('e2b', { path: directory })).toThrow('is there already')
  })
})
