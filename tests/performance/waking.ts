import http from 'node:http'

import type { TestWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { type Figure, repeat, timed } from './figures.ts'
import { inWorld, touch } from './world.ts'

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

const visit = (world: TestWorld, id: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(world.url)
    const headers = { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '3000' }
    const request = http.get({ hostname, port, headers, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('error', reject)
  })

async function sleeper(world: TestWorld, mib: number): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ timeoutMs: 3_600_000, lifecycle: { onTimeout: 'pause', autoResume: true } })
  if (mib > 0) await sandbox.commands.run(touch(mib), { timeoutMs: 300_000 })
  await sandbox.files.write('service.py', service)
  await sandbox.commands.run('nohup python3 service.py >/dev/null 2>&1 &')
  while ((await visit(world, sandbox.sandboxId)) !== 200) await new Promise((resolve) => setTimeout(resolve, 100))
  return sandbox
}

const atOnce = (world: TestWorld, id: string, count: number): Promise<number> =>
  timed(async () => {
    const statuses = await Promise.all(Array.from({ length: count }, () => visit(world, id)))
    if (statuses.some((status) => status !== 200)) throw new Error(`answered ${[...new Set(statuses)].join(', ')}`)
  })

/** An HTTP request to a sleeping sandbox, beside the same request to the one that is awake. */
export async function waking(): Promise<Figure[]> {
  const tiers = [
    { tier: 'frozen', warm: '8192', mib: 0, rounds: 20, target: '≤ 15 ms over warm' },
    { tier: 'image', warm: '0', mib: 64, rounds: 8, target: '≤ bare restore + 50 ms' },
    { tier: 'image', warm: '0', mib: 1024, rounds: 4, target: '≤ bare restore + 50 ms' },
  ]
  const figures: Figure[] = []
  for (const { tier, warm, mib, rounds, target } of tiers) {
    await inWorld({ TORPOR_WARM_MEMORY: warm, TORPOR_MEMORY_MIB: String(mib + 512) }, async (world) => {
      const { sandboxId, pause } = bound(await sleeper(world, mib))
      for (const count of [1, 100]) {
        const warmed = await repeat(rounds, () => atOnce(world, sandboxId, count))
        const samples = await repeat(rounds, async () => {
          await pause()
          if (tier === 'image') await untilOnDiskOnly(world, sandboxId)
          return atOnce(world, sandboxId, count)
        })
        const yardstick = { name: 'the same, awake', samples: warmed }
        figures.push({ name: `wake by ${count} requests, ${tier} tier, ${mib} MiB touched`, unit: 'ms', samples, yardstick, target })
      }
    })
  }
  return figures
}

/** A frozen process is ended behind the pause. */
async function untilOnDiskOnly(world: TestWorld, id: string): Promise<void> {
  while (world.useCases.getSandbox(id).execution !== null) await new Promise((resolve) => setTimeout(resolve, 20))
}

const bound = (sandbox: Sandbox) => ({ sandboxId: sandbox.sandboxId, pause: () => sandbox.pause() })
