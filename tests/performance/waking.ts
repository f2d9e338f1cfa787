import http from 'node:http'

import type { TestWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { Bare } from './bare.ts'
import { type Figure, repeat, timed } from './figures.ts'
import { inWorld, newestImage, touch } from './world.ts'

const service = `
import http.server, socketserver
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '5'); self.end_headers(); self.wfile.write(b'awake')
    def log_message(self, *_): pass
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 256
    allow_reuse_address = True
Server(('0.0.0.0', 3000), Service).serve_forever()
`

const get = (options: http.RequestOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.get({ ...options, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('error', reject)
  })

function visit(world: TestWorld, id: string): Promise<number> {
  const { hostname, port } = new URL(world.url)
  return get({ hostname, port, headers: { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '3000' } })
}

async function sleeper(world: TestWorld, mib: number): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ timeoutMs: 3_600_000, lifecycle: { onTimeout: 'pause', autoResume: true } })
  if (mib > 0) await sandbox.commands.run(touch(mib), { timeoutMs: 300_000 })
  await sandbox.files.write('service.py', service)
  await sandbox.commands.run('nohup python3 service.py >/dev/null 2>&1 &')
  while ((await visit(world, sandbox.sandboxId)) !== 200) await new Promise((resolve) => setTimeout(resolve, 100))
  return sandbox
}

async function atOnce(count: number, ask: () => Promise<number>): Promise<void> {
  const statuses = await Promise.all(Array.from({ length: count }, ask))
  if (statuses.some((status) => status !== 200)) throw new Error(`answered ${[...new Set(statuses)].join(', ')}`)
}

/** The engine alone restores the same image, and the service in it is asked by as many. */
async function bareWake(bare: Bare, image: string, { memoryMiB, count }: { memoryMiB: number; count: number }): Promise<number> {
  const prepared = await bare.prepare(memoryMiB)
  const milliseconds = await timed(async () => {
    await bare.restore(prepared, image)
    await atOnce(count, () => get({ hostname: prepared.slot.address, port: 3000 }))
  })
  await bare.destroy(prepared)
  return milliseconds
}

/** HTTP requests to a sleeping sandbox: one whose process is kept, and one that is on the disk only. */
export const waking = async (directory: string): Promise<Figure[]> => [
  ...(await fromFrozen()),
  ...(await fromImage(directory, 64, 8)),
  ...(await fromImage(directory, 1024, 5)),
]

const figureName = (count: number, tier: string, mib: number): string => `wake by ${count} requests, ${tier} tier, ${mib} MiB touched`

const fromFrozen = (): Promise<Figure[]> =>
  inWorld({ TORPOR_WARM_MEMORY: '8192' }, async (world) => {
    const sandbox = await sleeper(world, 0)
    const ask = (): Promise<number> => visit(world, sandbox.sandboxId)
    const figures: Figure[] = []
    for (const count of [1, 100]) {
      const awake: number[] = []
      const samples = await repeat(20, async () => {
        awake.push(await timed(() => atOnce(count, ask)))
        await sandbox.pause()
        return timed(() => atOnce(count, ask))
      })
      const yardstick = { name: 'the same, awake', samples: awake }
      figures.push({ name: figureName(count, 'frozen', 0), unit: 'ms', samples, yardstick, target: '≤ 15 ms over warm' })
    }
    return figures
  })

const fromImage = (directory: string, mib: number, rounds: number): Promise<Figure[]> =>
  inWorld({ TORPOR_WARM_MEMORY: '0', TORPOR_MEMORY_MIB: String(mib + 512) }, async (world) => {
    await using bare = new Bare(directory, world.artifacts)
    const sandbox = await sleeper(world, mib)
    const figures: Figure[] = []
    for (const count of [1, 100]) {
      const engine: number[] = []
      const samples = await repeat(rounds, async () => {
        await sandbox.pause()
        await untilOnDiskOnly(world, sandbox.sandboxId)
        engine.push(await bareWake(bare, await newestImage(world, sandbox.sandboxId), { memoryMiB: mib + 512, count }))
        return timed(() => atOnce(count, () => visit(world, sandbox.sandboxId)))
      })
      const yardstick = { name: 'bare restore, same requests', samples: engine }
      figures.push({ name: figureName(count, 'image', mib), unit: 'ms', samples, yardstick, target: '≤ bare restore + 50 ms' })
    }
    return figures
  })

/** A frozen process is ended behind the pause. */
async function untilOnDiskOnly(world: TestWorld, id: string): Promise<void> {
  while (world.useCases.getSandbox(id).execution !== null) await new Promise((resolve) => setTimeout(resolve, 20))
}
