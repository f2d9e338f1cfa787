import { once } from 'node:events'
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { codeOf, makeDirectory, syncPath, syncTree } from './index.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'torpor-files-'))
})
afterEach(() => rm(root, { recursive: true }))

it('a directory is made with all above it, for this user alone; one that is there is left as it is', async () => {
  await makeDirectory(path.join(root, 'a/b'))
  for (const made of ['a', 'a/b']) expect((await stat(path.join(root, made))).mode & 0o777).toBe(0o700)
  await writeFile(path.join(root, 'a/b/kept'), '')
  await makeDirectory(path.join(root, 'a/b'))
  await stat(path.join(root, 'a/b/kept'))
})

it('what is no file has nothing to lose', async () => {
  await makeDirectory(path.join(root, 'tree'))
  await writeFile(path.join(root, 'tree/file'), 'content')
  await symlink('nowhere', path.join(root, 'tree/link'))
  const server = createServer().listen(path.join(root, 'tree/socket'))
  await once(server, 'listening')
  try {
    await expect(syncTree(root)).resolves.toBeUndefined()
  } finally {
    server.close()
  }
})

it('errors of the system have a code, others none', async () => {
  const missing = await syncPath(path.join(root, 'missing')).catch((error: unknown) => error)
  expect(codeOf(missing)).toBe('ENOENT')
  for (const other of [new Error('other'), 'ENOENT', undefined]) expect(codeOf(other)).toBeUndefined()
})
