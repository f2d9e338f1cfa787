import { type TestWorld, bootWorld } from '@torpor/testkit'
import { NotFoundError, Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const unknown = 'i00000000000000000000'

describe('bad input gets a clear answer', () => {
  let world: TestWorld
  let sandbox: Sandbox
  const api = (path: string, init: { method?: string; body?: string } = {}): Promise<Response> =>
    fetch(`${world.url}${path}`, { ...init, headers: { 'x-api-key': world.apiKey, 'content-type': 'application/json' } })

  beforeAll(async () => {
    world = await bootWorld({ TORPOR_MAX_MEMORY: '3072', TORPOR_MEMORY_OVERCOMMIT: '1', TORPOR_DISK_MIB: '256' })
    Object.assign(process.env, world.env)
    sandbox = await Sandbox.create()
  })
  afterAll(async () => {
    await world?.close()
  })

  test.each([unknown, 'nonsense', '..%2f..', 'i%00'])('an unknown or malformed sandbox id (%s) is 404', async (id) => {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/connect'],
    ] as const) {
      const body = method === 'POST' ? { body: '{"timeout":10}' } : {}
      const answer = await api(`/sandboxes/${id}${path}`, { method, ...body })
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ code: 404, message: expect.any(String) })
    }
  })

  test('an unknown sandbox is NotFoundError in the SDK', async () => {
    await expect(Sandbox.connect(unknown)).rejects.toBeInstanceOf(NotFoundError)
  })

  test.each([{}, { 'x-api-key': 'e2b_wrong' }, { authorization: 'Bearer wrong' }])('a missing or wrong key is 401', async (headers) => {
    const answer = await fetch(`${world.url}/v2/sandboxes`, { headers })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 401 })
  })

  test.each([0, -5, 'soon', null, 1e9])('timeout %s is 400 and names the field', async (timeout) => {
    const answer = await api('/v2/sandboxes', { method: 'POST', body: JSON.stringify({ templateID: 'base', timeout }) })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ message: expect.stringMatching(/timeout/i) })
  })

  test('an unknown template is 404', async () => {
    const answer = await api('/v2/sandboxes', { method: 'POST', body: JSON.stringify({ templateID: 'no-such-template' }) })
    expect(answer.status).toBe(404)
  })

  test('a body that is not JSON is 400, one too large is 413', async () => {
    expect((await api('/v2/sandboxes', { method: 'POST', body: '{nope' })).status).toBe(400)
    const large = JSON.stringify({ templateID: 'base', metadata: { fill: 'x'.repeat(2_000_000) } })
    expect((await api('/v2/sandboxes', { method: 'POST', body: large })).status).toBe(413)
  })

  test('paths are resolved as Linux does, never outside the sandbox', async () => {
    await sandbox.files.write('/home/user/../../etc/torpor-test', 'inside', { user: 'root' })
    expect(await sandbox.files.read('/etc/torpor-test')).toBe('inside')
    expect(await sandbox.files.exists('/../../../../etc/torpor-test')).toBe(true)
    await expect(sandbox.files.read('/etc/tor\0por')).rejects.toThrow(/NUL|null|invalid/i)
  })

  test('a port that nothing listens on is 502 and says so', async () => {
    const headers = { 'e2b-sandbox-id': sandbox.sandboxId, 'e2b-sandbox-port': '4321' }
    const answer = await fetch(`${world.url}/`, { headers })
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({
      sandboxId: sandbox.sandboxId,
      port: 4321,
      message: expect.stringContaining('port is not open'),
    })
  })

  test('a full disk inside is 507 or ENOSPC, and the sandbox lives on', async () => {
    const filled = await sandbox.commands
      .run('dd if=/dev/zero of=/home/user/fill bs=1M count=400')
      .catch((error: { stderr: string }) => error)
    expect(filled.stderr).toContain('No space left on device')
    await expect(sandbox.files.write('/home/user/more', 'x'.repeat(4_000_000))).rejects.toThrow(/space/i)
    await sandbox.files.remove('/home/user/fill')
    expect((await sandbox.commands.run('echo alive')).stdout).toBe('alive\n')
  })

  test('more sandboxes than memory allows is 429 with the limit in the text', async () => {
    const made = [await Sandbox.create(), await Sandbox.create()]
    const answer = await api('/v2/sandboxes', { method: 'POST', body: JSON.stringify({ templateID: 'base' }) })
    expect(answer.status).toBe(429)
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('3072 MiB') })
    await Promise.all(made.map((one) => one.kill()))
  })
})
