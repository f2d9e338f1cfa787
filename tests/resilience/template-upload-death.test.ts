import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

import { type MortalServer, bootMortal, imagesOf, mountsBelow } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

const run = promisify(execFile)
const megabytes = 128
let directory: string
let archive: string
let server: MortalServer
/** As a client makes one: it says nothing about the content. */
let filesHash: string

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-upload-'))
  archive = path.join(directory, 'archive.tar')
  await run('sh', ['-c', `head -c ${megabytes}M /dev/urandom >large && tar -cf ${archive} large`], { cwd: directory })
  server = await bootMortal({ TORPOR_WARM_POOL: '0' })
  Object.assign(process.env, server.env)
}, 300_000)
beforeEach(() => {
  filesHash = createHash('sha256').update(`${performance.now()}`).digest('hex')
})
afterAll(async () => {
  await server?.close()
  await server?.remove()
  await rm(directory, { recursive: true, force: true })
})

const ask = async (line: string, body?: object): Promise<unknown> => {
  const [method = '', where = ''] = line.split(' ')
  const init = { method, headers: { 'x-api-key': process.env['E2B_API_KEY'] ?? '' } }
  const answer = await fetch(`${process.env['E2B_API_URL']}${where}`, body ? { ...init, body: JSON.stringify(body) } : init)
  const text = await answer.text()
  return text === '' ? undefined : JSON.parse(text)
}
const registered = z.object({ templateID: z.string(), buildID: z.string() })
const linked = z.object({ present: z.boolean(), url: z.string() })
const status = z.object({
  status: z.string(),
  reason: z.object({ message: z.string(), step: z.string().optional() }).optional(),
  logEntries: z.array(z.object({ message: z.string() })),
})

const register = async () => registered.parse(await ask('POST /v3/templates', { name: 'copied', memoryMB: 1024 }))
const link = async (templateID: string) => linked.parse(await ask(`GET /templates/${templateID}/files/${filesHash}`))

/** Sends `bytes` of the archive; resolves with the answer's status, or when there are no more bytes to send and no answer is due. */
async function send(url: string, bytes: number): Promise<number | undefined> {
  const { size } = await stat(archive)
  const outgoing = request(url, { method: 'PUT', headers: { 'content-length': size } })
  const answered = once(outgoing, 'response').then(([answer]) => z.object({ statusCode: z.number() }).parse(answer).statusCode)
  answered.catch(() => undefined)
  for await (const chunk of createReadStream(archive, { end: bytes - 1 })) if (!outgoing.write(chunk)) await once(outgoing, 'drain')
  if (bytes < size) return undefined
  outgoing.end()
  return await answered
}

const runAt = 'sha256sum </srv/large >/srv/sum'
/** With a step before it that is worth a layer, and a step after it. */
const plan = () => ({
  fromTemplate: 'base',
  steps: [
    { type: 'RUN', args: ['sleep 1.5; date +%s%N | sudo tee /srv/before', 'root'] },
    { type: 'COPY', args: ['large', '/srv/', '', ''], filesHash },
    { type: 'RUN', args: [runAt, 'root'] },
  ],
})
const start = async (templateID: string, buildID: string): Promise<unknown> =>
  await ask(`POST /v2/templates/${templateID}/builds/${buildID}`, plan())
const statusOf = async (templateID: string, buildID: string) =>
  status.parse(await ask(`GET /templates/${templateID}/builds/${buildID}/status`))

async function die(): Promise<void> {
  process.kill(server.pid ?? 0, 'SIGKILL')
  await server.death
  await server.restart()
  Object.assign(process.env, server.env)
}

const uploads = (): string[] => readdirSync(path.join(server.dataDirectory, 'uploads'))

/** How far the server has read the archive that it sends into the build's sandbox. */
function bytesRead(): number {
  const place = `/proc/${server.pid}`
  const file = path.join(server.dataDirectory, 'uploads', filesHash)
  for (const descriptor of readdirSync(`${place}/fd`)) {
    try {
      if (readlinkSync(`${place}/fd/${descriptor}`) !== file) continue
      return Number(/^pos:\s*(\d+)/.exec(readFileSync(`${place}/fdinfo/${descriptor}`, 'utf8'))?.[1])
    } catch {
      // It was closed in between.
    }
  }
  return 0
}

/** Nothing of a dead build: no sandbox, no mount, no image that is not a layer or the base. */
async function expectNothingLeft(): Promise<void> {
  const left = () => [
    readdirSync(path.join(server.dataDirectory, 'executions')),
    readdirSync(imagesOf(server.dataDirectory)).filter((name) => !name.startsWith('layer-')).length,
  ]
  await expect.poll(left, { timeout: 20_000 }).toEqual([[], 1])
  expect(mountsBelow(server.dataDirectory)).toEqual([])
}

/** The whole archive is sent where it is missing, and built; gives the sandbox's answer. */
async function buildAnew(): Promise<{ readonly log: string; readonly said: string }> {
  const { templateID, buildID } = await register()
  const { present, url } = await link(templateID)
  expect(present ? 200 : await send(url, (await stat(archive)).size)).toBe(200)
  await start(templateID, buildID)
  await expect.poll(async () => (await statusOf(templateID, buildID)).status, { timeout: 100_000, interval: 200 }).toBe('ready')
  const sandbox = await Sandbox.create('copied')
  const { stdout } = await sandbox.commands.run('cat /srv/sum /srv/before; ls /var/tmp -A')
  await sandbox.kill()
  return { log: (await statusOf(templateID, buildID)).logEntries.map(({ message }) => message).join('\n'), said: stdout }
}

const sumOf = async (): Promise<string> => (await run('sha256sum', [path.join(directory, 'large')])).stdout.slice(0, 64)

describe('kill -9 of the server while the files of a COPY are on their way', () => {
  test('to the server: nothing of them is kept, and the next upload and build are whole', { timeout: 200_000 }, async () => {
    const { templateID } = await register()
    const { present, url } = await link(templateID)
    expect(present).toBe(false)
    const half = ((await stat(archive)).size / 2) | 0
    const sending = send(url, half).catch(() => undefined)
    await expect.poll(uploads).toEqual([expect.stringMatching(new RegExp(`^${filesHash}\\..+\\.part$`))])
    await sending
    await die()
    expect(uploads()).toEqual([])
    expect((await buildAnew()).said).toMatch(new RegExp(`^${await sumOf()}  -\\n\\d+\\n$`))
  })

  test(
    'into the build: it is reported failed, nothing is left, the next build is whole and takes the layers before',
    { timeout: 200_000 },
    async () => {
      const { templateID, buildID } = await register()
      expect(await send((await link(templateID)).url, (await stat(archive)).size)).toBe(200)
      await start(templateID, buildID)
      while (bytesRead() === 0) await delay(1)
      process.kill(server.pid ?? 0, 'SIGSTOP')
      const read = bytesRead()
      expect(read).toBeGreaterThan(0)
      expect(read).toBeLessThan((await stat(archive)).size)
      await die()
      expect(await statusOf(templateID, buildID)).toMatchObject({
        status: 'error',
        reason: { message: expect.stringContaining('The server was stopped'), step: '2' },
      })
      expect(uploads().filter((name) => name.startsWith(filesHash))).toEqual([filesHash])
      // The template of the test before, with its image.
      await Sandbox.deleteSnapshot('copied')
      await expectNothingLeft()
      const { log, said } = await buildAnew()
      expect(log).toContain('CACHED RUN sleep 1.5')
      expect(said).toMatch(new RegExp(`^${await sumOf()}  -\\n\\d+\\n$`))
    },
  )
})
