import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox, Template } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

let world: TestWorld
let place: string

beforeAll(async () => {
  world = await bootWorld({ TORPOR_BUILD_STEP_TIMEOUT: '3', TORPOR_DISK_MIB: '256', TORPOR_UPLOAD_MIB: '8', TORPOR_MEMORY_MIB: '256' })
  Object.assign(process.env, world.env)
  place = await mkdtemp(path.join(tmpdir(), 'torpor-hostile-'))
})
afterAll(async () => {
  await world?.close()
  await rm(place, { recursive: true, force: true })
})

const ask = (line: string, body?: object): Promise<Response> => {
  const [method = '', where = ''] = line.split(' ')
  const init = { method, headers: { 'x-api-key': world.apiKey } }
  return fetch(world.url + where, body ? { ...init, body: JSON.stringify(body) } : init)
}

const registered = z.object({ templateID: z.string(), buildID: z.string() })
const link = z.object({ url: z.string() })
const status = z.object({ status: z.string(), reason: z.object({ message: z.string(), step: z.string() }).optional() })

/** An archive made by a script over Python's `tarfile`, with `add(name, content, **attributes)`. */
function archive(script: string): Promise<Buffer> {
  const file = path.join(place, randomBytes(8).toString('hex'))
  const program = `
import io, sys, tarfile
made = tarfile.open(sys.argv[1], 'w:gz')
def add(name, content=b'evil', **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items(): setattr(info, key, value)
    made.addfile(info, io.BytesIO(content))
${script}
made.close()`
  execFileSync('python3', ['-c', program, file])
  return readFile(file)
}

/** What becomes of a build that copies an archive into /srv. */
async function copied(name: string, content: Buffer) {
  const { templateID, buildID } = registered.parse(await (await ask('POST /v3/templates', { name })).json())
  const filesHash = randomBytes(32).toString('hex')
  const { url } = link.parse(await (await ask(`GET /templates/${templateID}/files/${filesHash}`)).json())
  const put = await fetch(url, { method: 'PUT', body: new Uint8Array(content) })
  if (put.status !== 200) return { put: put.status }
  const steps = [{ type: 'COPY', args: ['.', '/srv', '', ''], filesHash }]
  await ask(`POST /v2/templates/${templateID}/builds/${buildID}`, { fromTemplate: 'base', steps })
  for (;;) {
    const seen = status.parse(await (await ask(`GET /templates/${templateID}/builds/${buildID}/status`)).json())
    if (seen.status !== 'building') return { put: 200, ...seen }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

describe('a hostile archive touches the sandbox of its build only', () => {
  const mark = `/tmp/torpor-evil-${randomBytes(8).toString('hex')}`
  test.each([
    ['dots', `add('../../../../../..${mark}')`],
    ['an absolute name', `add('${mark}')`],
    [
      'a symbolic link out, and a file through it',
      `add('out', b'', type=tarfile.SYMTYPE, linkname='/tmp'); add('out/${path.basename(mark)}')`,
    ],
    ['a hard link out', `add('passwd', b'', type=tarfile.LNKTYPE, linkname='/etc/passwd')`],
    ['a device', `add('disk', b'', type=tarfile.BLKTYPE, devmajor=254, devminor=0)`],
  ])('with %s', async (_what, script) => {
    const outcome = await copied('hostile', await archive(script))
    expect(outcome.put).toBe(200)
    expect(outcome).toMatchObject({ status: expect.stringMatching(/^(ready|error)$/) })
    expect(await isThere(mark)).toBe(false)
  })

  test('that unpacks to more than the disk of the sandbox fails its build', async () => {
    const bomb = await archive(`add('zeros', bytes(600 * 1024 * 1024))`)
    expect(await copied('bomb', bomb)).toMatchObject({
      status: 'error',
      reason: { step: '1', message: expect.stringMatching(/wrote only|space/i) },
    })
  })

  test('that is too large is not taken', async () => {
    expect(await copied('large', randomBytes(9 * 1024 * 1024))).toEqual({ put: 413 })
  })

  test('that is none fails its build', async () => {
    expect(await copied('none', Buffer.from('no archive'))).toMatchObject({ status: 'error', reason: { step: '1' } })
  })
})

describe('a step', () => {
  test('that never ends is ended', async () => {
    const endless = Template().fromTemplate('base').runCmd('sleep 1000')
    await expect(Template.build(endless, 'endless')).rejects.toThrow(/did not end within 3 s/)
  })

  test('has the network rules of any sandbox, and no more memory', async () => {
    const meddling = Template().fromTemplate('base').runCmd('curl -sS --max-time 2 http://169.254.169.254/ && exit 9; true')
    await Template.build(meddling, 'meddling')
    const greedy = Template().fromTemplate('base').runCmd('python3 -c "x = bytearray(900 * 1024 * 1024); print(len(x))"')
    await expect(Template.build(greedy, 'greedy', { memoryMB: 256 })).rejects.toThrow(
      /ended by itself|out of memory|MemoryError|Killed|signal/,
    )
    const sandbox = await Sandbox.create('meddling')
    expect((await sandbox.commands.run('whoami')).stdout).toBe('user\n')
    await sandbox.kill()
  })
})
