import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { Seen } from './both-sdks.ts'

const life = z.object({
  sandboxId: z.string(),
  templateId: z.string(),
  generation: z.string().regex(/^[0-9a-f]{32}$/),
  at: z.iso.datetime(),
})

/** The agent of one sandbox, spoken to as the control plane does. */
describe('a captured sandbox becomes another by /init', () => {
  let world: TestWorld
  let sandbox: Sandbox
  let token: string
  const ask = async (method: string, path: string, body?: object): Promise<Response> => {
    const headers = { 'x-access-token': token, 'content-type': 'application/json', connection: 'close' }
    const url = `http://${world.addressOf(sandbox.sandboxId)}:49983${path}`
    return fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  }
  const run = async (command: string): Promise<string> => (await sandbox.commands.run(command, { user: 'root' })).stdout
  const identity = async (): Promise<z.infer<typeof life>> => life.parse(JSON.parse(await run('cat /run/torpor/identity')))

  beforeAll(async () => {
    world = await bootWorld()
    Object.assign(process.env, world.env)
    sandbox = await Sandbox.create({ timeoutMs: 300_000 })
    token = world.tokenOf(sandbox.sandboxId)
  })
  afterAll(async () => {
    await world?.close()
  })

  test('ids, environment, hostname, hooks and the watched identity file change before the answer', async () => {
    const before = await identity()
    expect(before.sandboxId).toBe(sandbox.sandboxId)
    await run(
      `mkdir -p /etc/torpor/rekey.d && printf '#!/bin/sh\\nenv | grep ^TORPOR_ | sort > /tmp/told\\n' > /etc/torpor/rekey.d/10-tell && chmod +x /etc/torpor/rekey.d/10-tell`,
    )
    const answer = await ask('POST', '/init', { sandboxId: 'iother', hostname: 'iother', envVars: { ONLY: 'this' } })
    expect(answer.status).toBe(204)
    const after = await identity()
    expect(after.sandboxId).toBe('iother')
    expect(after.generation).not.toBe(before.generation)
    expect(await run('cat /tmp/told')).toBe(
      `TORPOR_GENERATION=${after.generation}\nTORPOR_PREVIOUS_SANDBOX_ID=${sandbox.sandboxId}\nTORPOR_SANDBOX_ID=iother\n`,
    )
    expect(await run('hostname; cat /run/e2b/.E2B_SANDBOX_ID; echo; echo "$ONLY $E2B_SANDBOX_ID"')).toBe('iother\niother\nthis iother\n')
  })

  test('streams of the old life end, their processes go on', async () => {
    const handle = await sandbox.commands.run('read x; echo "went on"', { background: true, stdin: true })
    expect((await ask('POST', '/init', { rekey: true })).status).toBe(204)
    await expect(handle.wait()).rejects.toBeInstanceOf(Error)
    const again = await sandbox.commands.connect(handle.pid)
    await sandbox.commands.sendStdin(handle.pid, '\n')
    expect((await again.wait()).stdout).toBe('went on\n')
  })

  test('the token goes from the old to a new one, to none and back, and only by /init', async () => {
    const old = token
    expect((await ask('POST', '/init', { accessToken: 'new' })).status).toBe(204)
    expect((await ask('GET', '/envs')).status).toBe(401)
    expect((await ask('POST', '/init', { accessToken: 'stolen' })).status).toBe(401)
    token = 'new'
    expect((await ask('POST', '/init', { accessToken: '' })).status).toBe(204)
    token = ''
    expect((await ask('GET', '/envs')).status).toBe(200)
    expect((await ask('POST', '/init', { accessToken: old })).status).toBe(204)
    expect((await ask('GET', '/envs')).status).toBe(401)
    token = old
    expect((await ask('GET', '/envs')).status).toBe(200)
  })

  test('a process that eats the memory is ended and told so, and the journal knows', async () => {
    const seen = new Seen()
    const eat = `exec python3 -c 'x = bytearray(100_000_000); print("full", flush=True); input()'`
    const eater = await sandbox.commands.run(eat, { background: true, stdin: true, onStdout: (data) => seen.add(data) })
    await seen.for('full')
    const victim = await (await ask('POST', '/oom')).json()
    expect(victim).toMatchObject({ pid: eater.pid, command: expect.stringContaining('python3'), rssBytes: expect.any(Number) })
    await expect(eater.wait()).rejects.toMatchObject({ exitCode: -1, error: 'killed: the sandbox ran out of memory' })
    const logs = JSON.stringify(await (await ask('GET', '/logs?limit=1000')).json())
    expect(logs).toContain('process killed: out of memory')
  })
})
