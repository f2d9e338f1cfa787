import { execFile } from 'node:child_process'
import { createWriteStream, openAsBlob, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

import { type MortalServer, bootMortal } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { plainFile } from './bare.ts'
import { type Figure, repeat, timed } from './figures.ts'
import { mebibyte } from './world.ts'

const run = promisify(execFile)

/** The same command, so many at once, started by a program: what fork and exec alone cost where it runs. */
const forks = (rounds: number, atOnce: number): string => `
import subprocess, time
for _ in range(${rounds}):
    began = time.monotonic()
    for each in [subprocess.Popen(['/bin/bash', '-l', '-c', 'true']) for _ in range(${atOnce})]: each.wait()
    print((time.monotonic() - began) * 1000)
`

/** One byte through a terminal that belongs to the program itself. */
const echoes = (rounds: number): string => `
import os, pty, time
pid, terminal = pty.fork()
if pid == 0: os.execvp('sleep', ['sleep', '1000'])
time.sleep(0.5)
for _ in range(${rounds}):
    began = time.monotonic(); os.write(terminal, b'x'); os.read(terminal, 100); print((time.monotonic() - began) * 1000)
os.kill(pid, 9)
`

async function measuredInside(sandbox: Sandbox, program: string): Promise<number[]> {
  await sandbox.files.write('measure.py', program)
  const { stdout } = await sandbox.commands.run('python3 measure.py', { timeoutMs: 600_000 })
  return numbers(stdout)
}

const numbers = (lines: string): number[] => lines.trim().split('\n').map(Number)

async function commands(sandbox: Sandbox, rounds: number): Promise<Figure[]> {
  const inside = await measuredInside(sandbox, forks(rounds, 1))
  const crowdInside = await measuredInside(sandbox, forks(3, 100))
  const here = numbers((await run('python3', ['-c', forks(rounds, 1)])).stdout)
  const samples = await repeat(rounds, () => timed(() => sandbox.commands.run('true')))
  const crowd = await repeat(3, () => timed(() => Promise.all(Array.from({ length: 100 }, () => sandbox.commands.run('true')))))
  const name = 'commands.run("true"), there and back'
  return [
    { name, unit: 'ms', samples, yardstick: { name: 'fork + exec inside', samples: inside }, target: '≤ 2 × + 5 ms' },
    { name, unit: 'ms', samples, yardstick: { name: 'fork + exec on the machine', samples: here }, target: 'reported' },
    { name: '100 commands at once', unit: 'ms', samples: crowd, yardstick: { name: '100 × fork + exec inside', samples: crowdInside } },
  ]
}

async function terminal(sandbox: Sandbox, rounds: number): Promise<Figure[]> {
  const bare = await measuredInside(sandbox, echoes(rounds))
  let heard = (): void => undefined
  const handle = await sandbox.pty.create({ cols: 80, rows: 24, timeoutMs: 0, onData: () => heard() })
  const echo = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      heard = resolve
      sandbox.pty.sendInput(handle.pid, Buffer.from(text)).catch(reject)
    })
  await sandbox.pty.sendInput(handle.pid, Buffer.from('exec cat >/dev/null\n'))
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const samples = await repeat(rounds, () => timed(() => echo('x')))
  await handle.kill()
  const yardstick = { name: 'a terminal inside', samples: bare }
  return [{ name: 'echo of a key in a terminal', unit: 'ms', samples, yardstick, target: 'p95 ≤ + 10 ms' }]
}

/** A server that does nothing but write what it is sent to a file, and sends it back. */
async function plainServer(file: string): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    if (request.method === 'POST') return void pipeline(request, createWriteStream(file)).then(() => response.end())
    void openAsBlob(file).then((blob) => pipeline(blob.stream(), response))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}

async function drained(stream: ReadableStream<Uint8Array> | null): Promise<void> {
  let bytes = 0
  for await (const chunk of stream ?? []) bytes += chunk.length
  if (bytes === 0) throw new Error('nothing came')
}

/** Both ways through SDK, edge and agent, beside the same through a plain server of this machine. */
async function transfers({ sandbox, server: served }: Inside, directory: string, mib: number): Promise<Figure[]> {
  const file = path.join(directory, 'content')
  await plainFile(file, mib * mebibyte)
  const content = await openAsBlob(file)
  const server = await plainServer(path.join(directory, 'copy'))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  const rate = async (work: () => Promise<unknown>): Promise<number> => (mib * mebibyte) / 1000 / (await timed(work))
  const figures = { up: [] as number[], plainUp: [] as number[], down: [] as number[], plainDown: [] as number[] }
  const before = residentKiB(served.pid)
  let most = before
  const watch = setInterval(() => (most = Math.max(most, residentKiB(served.pid))), 50)
  for (let round = 0; round < 3; round += 1) {
    figures.plainUp.push(await rate(() => fetch(url, { method: 'POST', body: content })))
    figures.up.push(await rate(() => sandbox.files.write('content', content, { requestTimeoutMs: 600_000 })))
    figures.plainDown.push(await rate(async () => drained((await fetch(url)).body)))
    figures.down.push(await rate(async () => drained(await sandbox.files.read('content', { format: 'stream', requestTimeoutMs: 600_000 }))))
  }
  clearInterval(watch)
  server.close()
  if ((await stat(path.join(directory, 'copy'))).size !== mib * mebibyte) throw new Error('the plain copy is not whole')
  const resident = (await sandbox.commands.run("sudo awk '/VmRSS/ {print $2}' /proc/1/status")).stdout
  const plain = {
    up: { name: 'plain HTTP server', samples: figures.plainUp },
    down: { name: 'plain HTTP server', samples: figures.plainDown },
  }
  return [
    { name: `upload of ${mib} MiB`, unit: 'MB/s', samples: figures.up, yardstick: plain.up, target: '≥ 0.5 ×' },
    { name: `download of ${mib} MiB`, unit: 'MB/s', samples: figures.down, yardstick: plain.down, target: '≥ 0.5 ×' },
    { name: 'memory of the server grew by at most', unit: 'MiB', samples: [(most - before) / 1024], target: 'flat' },
    { name: 'memory of the agent after it', unit: 'MiB', samples: [Number(resident) / 1024], target: 'flat' },
  ]
}

/** What users do inside: commands, a terminal, files. */
export async function inside(directory: string, { rounds, mib }: { rounds: number; mib: number }): Promise<Figure[]> {
  // In a process of its own: the client's memory is not the server's.
  const server = await bootMortal()
  try {
    Object.assign(process.env, server.env)
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    const figures = [...(await commands(sandbox, rounds)), ...(await terminal(sandbox, rounds))]
    figures.push(...(await transfers({ sandbox, server }, directory, mib)))
    await sandbox.kill()
    return figures
  } finally {
    await server.close()
    await server.remove()
  }
}

interface Inside {
  readonly sandbox: Sandbox
  readonly server: MortalServer
}

const residentKiB = (pid: number | undefined): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
