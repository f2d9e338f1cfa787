import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Socket } from 'node:net'

import type { TestWorld } from '@torpor/testkit'
import autocannon from 'autocannon'
import { Sandbox } from 'e2b'

import { type Figure, repeat, timed } from './figures.ts'
import { mebibyte } from './world.ts'

const streamMiB = 256

/** 1 KiB for every request; after an upgrade, so many bytes as fast as they are taken. */
const guest = `
const body = 'x'.repeat(1024)
const server = require('http').createServer((q, s) => s.end(body))
server.on('upgrade', (q, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: bytes\\r\\n\\r\\n')
  const block = Buffer.alloc(1 << 20)
  let left = ${streamMiB}
  const more = () => { while (left > 0) { left -= 1; if (!socket.write(block)) return socket.once('drain', more) } socket.end() }
  more()
})
server.listen(3000, '0.0.0.0', () => console.log('up'))
`

const headersOf = (sandbox: Sandbox) => ({ 'e2b-sandbox-id': sandbox.sandboxId, 'e2b-sandbox-port': '3000' })

/** Requests per second and the latency that the edge adds, 1 KiB bodies, against the same server directly. */
export async function throughput(world: TestWorld): Promise<Figure[]> {
  const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
  await sandbox.files.write('server.js', guest)
  await sandbox.commands.run('node server.js', { background: true, timeoutMs: 0 })
  const direct = `http://${world.addressOf(sandbox.sandboxId) ?? ''}:3000/`
  await waitFor(direct)
  const load = (url: string, headers: Record<string, string>, connections: number) => autocannon({ url, headers, connections, duration: 5 })
  const pairs = await repeat2(3, async () => {
    const through = await load(`${world.url}/`, headersOf(sandbox), 32)
    const straight = await load(direct, {}, 32)
    return [through.requests.average, straight.requests.average] as const
  })
  const single = await repeat2(3, async () => {
    const through = await load(`${world.url}/`, headersOf(sandbox), 1)
    const straight = await load(direct, {}, 1)
    // Its own latencies are whole milliseconds; one connection's rate says it finer.
    return [1000 / through.requests.average, 1000 / straight.requests.average] as const
  })
  const secure = await repeat2(3, async () => {
    const { hostname, port } = new URL(`https://${sandbox.getHost(3000)}`)
    const tlsOptions = { ca: await readFile(world.env['NODE_EXTRA_CA_CERTS'] ?? '') }
    const load = await autocannon({
      url: `https://127.0.0.1:${port}/`,
      headers: { host: `${hostname}:${port}` },
      servername: hostname,
      tlsOptions,
      connections: 1,
      duration: 5,
    })
    return 1000 / load.requests.average
  })
  const streams = await repeat2(3, async () => [await streamed(`${world.url}/`, headersOf(sandbox)), await streamed(direct, {})] as const)
  const [first, second] = [pairs.map(([ours]) => ours), pairs.map(([, bare]) => bare)]
  return [
    { name: 'edge, 32 connections', unit: 'requests/s', samples: first, yardstick: { name: 'direct', samples: second }, target: '≥ 0.5 ×' },
    {
      name: 'edge, one connection, latency',
      unit: 'ms',
      samples: single.map(([ours]) => ours),
      yardstick: { name: 'direct', samples: single.map(([, bare]) => bare) },
      target: 'reported',
    },
    {
      name: 'the same over HTTPS, one connection, latency',
      unit: 'ms',
      samples: secure,
      yardstick: { name: 'HTTP', samples: single.map(([ours]) => ours) },
      target: 'reported',
    },
    {
      name: `${streamMiB} MiB out of an upgraded connection`,
      unit: 'MiB/s',
      samples: streams.map(([ours]) => ours),
      yardstick: { name: 'direct', samples: streams.map(([, bare]) => bare) },
      target: 'reported',
    },
  ]
}

/** MiB per second through an upgraded connection, as WebSockets are one. */
async function streamed(url: string, headers: Record<string, string>): Promise<number> {
  const asked = request(url, { headers: { ...headers, connection: 'upgrade', upgrade: 'bytes' } })
  asked.end()
  const [, socket]: [unknown, Socket] = await new Promise((resolve, reject) => {
    asked.once('upgrade', (...args) => resolve([args[0], args[1]])).once('error', reject)
  })
  let bytes = 0
  const milliseconds = await timed(async () => {
    for await (const chunk of socket) bytes += chunk.length
  })
  if (bytes < streamMiB * mebibyte - 65_536) throw new Error(`only ${bytes} bytes came`)
  return (streamMiB * 1000) / milliseconds
}

async function repeat2<T>(n: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  await repeat(n, async () => {
    results.push(await work())
    return 0
  })
  return results
}

async function waitFor(url: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    const up = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    )
    if (up) return
  }
  throw new Error(`nothing answers on ${url}`)
}
