import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { type IncomingMessage, type Server, createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { type MortalServer, bootMortal } from '@torpor/testkit'
import { Sandbox, Template } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { type Registry, buildRegistry, openRegistry } from '../test-registry.ts'

const run = promisify(execFile)
let directory: string
let registry: Registry
let slow: SlowRegistry
let server: MortalServer

/** In front of a registry: sends the first half of the next layer's bytes, then waits until it is let go. */
class SlowRegistry {
  readonly #server: Server
  #held: PromiseWithResolvers<void> | undefined
  #reached = Promise.withResolvers<void>()

  constructor(behind: string) {
    this.#server = createServer((incoming, outgoing) => {
      outgoing.on('error', () => undefined)
      const options = { host: behind, path: incoming.url, method: incoming.method, headers: { ...incoming.headers, host: behind } }
      const [hostname, port] = behind.split(':')
      request({ ...options, host: hostname, port }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        const isLayer = incoming.method === 'GET' && Number(answer.headers['content-length']) > 1_000_000
        this.#pass(answer, outgoing, isLayer).catch(() => outgoing.destroy())
      }).end()
    })
  }

  async open(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  get host(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('it does not listen on TCP')
    return `localhost:${address.port}`
  }

  /** Resolves when half a layer is sent; `go` sends the rest. */
  holdNextLayer(): { readonly half: Promise<void>; go(): void } {
    const held = Promise.withResolvers<void>()
    this.#held = held
    this.#reached = Promise.withResolvers()
    return { half: this.#reached.promise, go: () => held.resolve() }
  }

  async #pass(answer: IncomingMessage, outgoing: NodeJS.WritableStream, isLayer: boolean): Promise<void> {
    const held = isLayer ? this.#held : undefined
    let left = held ? Number(answer.headers['content-length']) / 2 : Number.POSITIVE_INFINITY
    for await (const chunk of answer) {
      outgoing.write(chunk)
      left -= chunk.length
      if (left > 0 || !held) continue
      left = Number.POSITIVE_INFINITY
      this.#held = undefined
      this.#reached.resolve()
      await held.promise
    }
    outgoing.end()
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-pull-'))
  const program = path.join(directory, 'registry')
  await buildRegistry(program)
  const layer = path.join(directory, 'layer.tar')
  await run('tar', ['-cf', layer, '-C', directory, 'registry'])
  registry = await openRegistry(program, ['-layer', layer])
  slow = await new SlowRegistry(registry.host).open()
  server = await bootMortal({ TORPOR_WARM_POOL: '0', TORPOR_INSECURE_REGISTRIES: slow.host })
  Object.assign(process.env, server.env)
}, 300_000)

afterAll(async () => {
  await server?.close()
  await server?.remove()
  slow?.close()
  registry?.end()
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
const status = z.object({ status: z.string(), reason: z.object({ message: z.string() }).optional() })

/** What a fetch leaves that did not come to its end: also processes that hold files there. */
const half = (): object => ({
  ...kept(),
  parts: readdirSync(path.join(server.dataDirectory, 'oci', 'layers')).filter((name) => name.endsWith('.part')),
  tools: readdirSync('/proc').filter((id) => /^\d+$/.test(id) && holds(id, path.join(server.dataDirectory, 'oci'))).length,
})

function holds(id: string, place: string): boolean {
  try {
    return readdirSync(`/proc/${id}/fd`).some((descriptor) => readlinkSync(`/proc/${id}/fd/${descriptor}`).startsWith(place))
  } catch {
    // It, or a descriptor of it, has gone.
    return false
  }
}

/** What is kept of images; the marks of their use are none. */
const kept = (): { roots: number; staged: string[] } => {
  const within = (name: string): string[] => readdirSync(path.join(server.dataDirectory, 'oci', name))
  return { roots: within('rootfs').filter((name) => !name.endsWith('.used')).length, staged: within('staging') }
}

describe('kill -9 of the server while an image is fetched', () => {
  test('the build is reported failed, no half of the image is used, and the next build is whole', { timeout: 120_000 }, async () => {
    const fetched = slow.holdNextLayer()
    const { templateID, buildID } = registered.parse(await ask('POST /v3/templates', { name: 'pulled', memoryMB: 512 }))
    await ask(`POST /v2/templates/${templateID}/builds/${buildID}`, { fromImage: `${slow.host}/team/app:v1`, steps: [] })
    await fetched.half
    process.kill(server.pid ?? 0, 'SIGKILL')
    await server.death
    await server.restart()
    expect(half()).toEqual({ roots: 0, staged: [], parts: [], tools: 0 })
    fetched.go()
    Object.assign(process.env, server.env)

    const left = status.parse(await ask(`GET /templates/${templateID}/builds/${buildID}/status`))
    expect(left).toMatchObject({ status: 'error', reason: { message: expect.stringContaining('The server was stopped') } })
    await Template.build(Template().fromImage(`${slow.host}/team/app:v1`), 'pulled', { memoryMB: 512 })
    const sandbox = await Sandbox.create('pulled')
    const { size } = await sandbox.files.getInfo('/registry')
    expect(size).toBe((await stat(path.join(directory, 'registry'))).size)
    await sandbox.kill()
    await expect.poll(kept, { timeout: 20_000 }).toEqual({ roots: 1, staged: [] })
  })
})
