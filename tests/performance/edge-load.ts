import type { TestWorld } from '@torpor/testkit'
import autocannon from 'autocannon'
import { Sandbox } from 'e2b'

import { type Figure, repeat } from './figures.ts'

const guest = `
const body = 'x'.repeat(1024)
require('http').createServer((q, s) => s.end(body)).listen(3000, '0.0.0.0', () => console.log('up'))
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
  ]
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
