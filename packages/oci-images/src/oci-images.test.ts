import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { openOciImages } from './oci-images.ts'

let directory: string
beforeEach(async () => void (directory = await mkdtemp(path.join(tmpdir(), 'torpor-oci-'))))
afterEach(() => rm(directory, { recursive: true, force: true }))

/** In the place of torpor-oci: keeps what it was asked for, does as `script` says. */
async function images(script: string) {
  const program = path.join(directory, 'tool')
  await writeFile(program, `#!/bin/sh\nrequest=$(/bin/cat)\necho "$request" >>${directory}/asked\n${script}\n`, { mode: 0o755 })
  return openOciImages({ program, directory: path.join(directory, 'oci'), insecure: ['r:1'], caFile: undefined })
}

const signal = new AbortController().signal
const credentials = { type: 'registry', username: 'u', password: 'p' } as const

it('resolves a name, with what the image says of its environment', async () => {
  const oci = await images(`echo '{"type":"result","reference":"r/x@sha256:1","config":{"env":["A=b=c","D="],"user":"0"}}'`)
  const image = await oci.resolve('r/x', { credentials, signal })
  expect(image).toEqual({ reference: 'r/x@sha256:1', env: { A: 'b=c', D: '' }, user: '0' })
})

it('makes a root file system once, tells what the tool says, and removes it when nobody needs it', async () => {
  const oci =
    await images(`case $request in *unpack*) /bin/mkdir -p $(echo "$request" | /bin/sed 's/.*"target":"\\([^"]*\\)".*/\\1/');; esac
echo '{"type":"log","level":"warn","message":"no bash"}'
echo '{"type":"result"}'`)
  const told: string[] = []
  const wish = { credentials: undefined, signal, tell: (_level: string, message: string) => void told.push(message) }
  const image = { reference: 'r/x@sha256:1', env: {}, user: '' }
  const [name, again] = await Promise.all([oci.prepare(image, wish), oci.prepare({ ...image, reference: 'other/y@sha256:1' }, wish)])
  expect([again, told]).toEqual([name, ['no bash', 'no bash']])
  const rootfs = path.join(directory, 'oci', 'rootfs')
  const old = new Date(1000)
  await utimes(path.join(rootfs, `${name}.used`), old, old)
  await oci.sweep(new Set([name]), Date.now() - 1000)
  expect(await readdir(rootfs)).toContain(name)
  await oci.sweep(new Set(), Date.now() - 1000)
  expect(await readdir(rootfs)).toEqual([])
})

it('clears what an earlier server made in part; whole layers and roots stay', async () => {
  const oci = await images('exit 1')
  await oci.clearUnfinished()
  const place = path.join(directory, 'oci')
  for (const name of ['staging/oci-1.tmp/etc', 'rootfs/oci-2', 'layers']) await mkdir(path.join(place, name), { recursive: true })
  for (const name of ['sha256-1', 'sha256-2.part']) await writeFile(path.join(place, 'layers', name), '')
  await oci.clearUnfinished()
  const left = await Promise.all(['staging', 'rootfs', 'layers'].map((name) => readdir(path.join(place, name))))
  expect(left).toEqual([[], ['oci-2'], ['sha256-1']])
})

it.each([
  [`echo '{"type":"error","kind":"unauthenticated","message":"wrong password"}'; exit 1`, 'invalid_argument'],
  [`echo '{"type":"error","kind":"no_space","message":"full"}'; exit 1`, 'no_space'],
  ['exit 3', 'internal'],
])('tells a failure of the tool as its kind says: %s', async (script, kind) => {
  const oci = await images(script)
  await expect(oci.resolve('r/x', { credentials, signal })).rejects.toMatchObject({ kind })
})

it('ends the tool when the build is aborted', async () => {
  const oci = await images('exec /bin/sleep 100')
  const abort = new AbortController()
  const resolving = oci.resolve('r/x', { credentials, signal: abort.signal })
  abort.abort(new Error('cancelled'))
  await expect(resolving).rejects.toThrow('cancelled')
})
