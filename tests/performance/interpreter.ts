import path from 'node:path'

import { Sandbox } from '@e2b/code-interpreter'
import { type TestWorld, imagesOf } from '@torpor/testkit'

import { Bare } from './bare.ts'
import { type Figure, repeat, timed } from './figures.ts'
import { inWorld, mebibyte } from './world.ts'

const template = 'code-interpreter-v1'
const outputMiB = 200

/** Jupyter's own client beside the service, with a kernel of its own: what one execution costs without us. */
const direct = (rounds: number): string => `
import time
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name='python3')
client.execute_interactive('1', output_hook=lambda message: None)
for _ in range(${rounds}):
    began = time.monotonic(); client.execute_interactive('1+1', output_hook=lambda message: None); print((time.monotonic() - began) * 1000)
client.stop_channels(); manager.shutdown_kernel(now=True)
`

/** The service as a program in the sandbox reaches it: without the edge, the SDK and the way in. */
const within = (rounds: number): string => `
import http.client, time
connection = http.client.HTTPConnection('127.0.0.1', 49999)
for _ in range(${rounds}):
    began = time.monotonic()
    connection.request('POST', '/execute', '{"code": "1+1", "language": "python"}', {'content-type': 'application/json'})
    assert b'"2"' in connection.getresponse().read()
    print((time.monotonic() - began) * 1000)
`

/** The code interpreter: from a create to the first result, results, waking, much output, memory. */
export async function interpreter(directory: string): Promise<Figure[]> {
  const speed = await inWorld({ TORPOR_TEMPLATES: template, TORPOR_MEMORY_OVERCOMMIT: '20' }, async (world) => {
    await world.templateReady(template, 1_200_000)
    return [
      ...(await firstResult(world, path.join(directory, 'bare'))),
      ...(await warmResults()),
      ...(await afterWaking()),
      ...(await muchOutput()),
    ]
  })
  return [...speed, ...(await memory())]
}

async function firstResult(world: TestWorld, directory: string): Promise<Figure[]> {
  await using bare = new Bare(directory, world.artifacts)
  const known = await Sandbox.create()
  const { base, buildId } = world.useCases.getSandbox(known.sandboxId)
  await known.kill()
  const image = path.join(imagesOf(world.dataDirectory), buildId, 'g1')
  const rootfs = path.join(world.artifactDirectory, 'rootfs', base.rootfs)
  const restores: number[] = []
  const samples = await repeat(15, async () => {
    while ((await world.useCases.inventory()).spares < 2) await new Promise((resolve) => setTimeout(resolve, 100))
    let sandbox: Sandbox | undefined
    const milliseconds = await timed(async () => expectTwo((await (sandbox = await Sandbox.create()).runCode('1+1')).text))
    await sandbox?.kill()
    const prepared = await bare.prepare(1024, rootfs)
    restores.push(await timed(() => bare.restore(prepared, image).then(() => executeAt(prepared.slot.address))))
    await bare.destroy(prepared)
    return milliseconds
  })
  const yardstick = { name: 'bare restore, same code', samples: restores }
  return [{ name: 'interpreter: create → result of `1+1`', unit: 'ms', samples, yardstick, target: 'reported' }]
}

/** Runs the code straight at the service, without edge or SDK. */
async function executeAt(address: string): Promise<void> {
  const answer = await fetch(`http://${address}:49999/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: '1+1', language: 'python' }),
  })
  expectTwo(/"text": ?"(\d+)"/.exec(await answer.text())?.[1])
}

function expectTwo(text: string | undefined): void {
  if (text !== '2') throw new Error(`1+1 is ${text}`)
}

async function warmResults(): Promise<Figure[]> {
  const sandbox = await Sandbox.create()
  const inside = async (code: string): Promise<number[]> => {
    await sandbox.files.write('/tmp/inside.py', code)
    const { stdout } = await sandbox.commands.run('/opt/torpor/interpreter/venv/bin/python /tmp/inside.py', { timeoutMs: 300_000 })
    return stdout.trim().split('\n').map(Number)
  }
  const yardstick = { name: 'Jupyter’s client inside', samples: await inside(direct(50)) }
  await sandbox.runCode('1+1')
  const service = await inside(within(50))
  const samples = await repeat(50, () => timed(async () => expectTwo((await sandbox.runCode('1+1')).text)))
  await sandbox.kill()
  return [
    { name: 'runCode("1+1"), warm', unit: 'ms', samples, yardstick, target: '≤ 1.5 ×' },
    { name: 'the same request from inside', unit: 'ms', samples: service, yardstick, target: 'reported' },
  ]
}

async function afterWaking(): Promise<Figure[]> {
  const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
  await sandbox.runCode('x = 1')
  const samples = await repeat(15, async () => {
    await sandbox.pause()
    return timed(async () => expectTwo((await (await Sandbox.connect(sandbox.sandboxId)).runCode('x+1')).text))
  })
  await sandbox.kill()
  return [{ name: 'connect from the frozen tier → result', unit: 'ms', samples, target: 'reported' }]
}

async function muchOutput(): Promise<Figure[]> {
  const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
  const samples = await repeat(3, async () => {
    let bytes = 0
    const code = `line = 'x' * 1023\nfor _ in range(${outputMiB * 1024}): print(line)`
    const milliseconds = await timed(() =>
      sandbox.runCode(code, { timeoutMs: 0, requestTimeoutMs: 0, onStdout: ({ line }) => void (bytes += line.length) }),
    )
    if (bytes !== outputMiB * mebibyte) throw new Error(`${bytes} bytes came`)
    return (outputMiB * 1000) / milliseconds
  })
  await sandbox.kill()
  return [{ name: `${outputMiB} MiB of output, all of it`, unit: 'MiB/s', samples, target: 'reported' }]
}

/** What the machine spends on each, its runtime's processes included; the pool would change it meanwhile. */
const memory = (): Promise<Figure[]> =>
  inWorld({ TORPOR_TEMPLATES: template, TORPOR_MEMORY_OVERCOMMIT: '20', TORPOR_WARM_POOL: '0' }, async (world) => {
    await world.templateReady(template, 1_200_000)
    const figures: Figure[] = []
    for (const count of [1, 9]) {
      for (let made = 0; made < count; made += 1) await Sandbox.create()
      const { sandboxes } = await world.useCases.inventory()
      const samples = sandboxes.map(({ memoryBytes }) => (memoryBytes ?? 0) / mebibyte)
      figures.push({ name: `memory of an idle interpreter, of ${sandboxes.length}`, unit: 'MiB', samples, target: 'reported' })
    }
    return figures
  })
