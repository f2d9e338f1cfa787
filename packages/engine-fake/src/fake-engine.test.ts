import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { TorporError, newExecutionId } from '@torpor/contract'
import { type ExecutionExit, type ExecutionSpec, type MemoryPressure, openEgress } from '@torpor/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { type FakeEngine, createFakeEngine } from './fake-engine.ts'

let engine: FakeEngine
let directory = ''
beforeEach(async () => {
  engine = createFakeEngine()
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-engine-fake-'))
})
afterEach(async () => {
  await engine.machine[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const spec = (): ExecutionSpec => ({
  execution: newExecutionId(),
  hostname: 'fake',
  base: { rootfs: 'none', agent: 'none' },
  resources: { cpuCount: 1, memoryMiB: 128, diskMiB: 128 },
  egress: openEgress,
})

/** One call on a connection of its own. */
const call = (
  method: string,
  address: string,
  target: string,
  init: { port?: number; token?: string; body?: object } = {},
): Promise<Response> =>
  fetch(`http://${address}:${init.port ?? 49_983}${target}`, {
    method,
    headers: { connection: 'close', ...(init.token !== undefined && { 'x-access-token': init.token }) },
    body: init.body === undefined ? null : JSON.stringify(init.body),
  })

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined).catch((error: unknown) => error)

describe('the fake agent', () => {
  it('counts in its memory, and a restored copy goes on from there', async () => {
    const parent = await engine.boot(spec())
    await call('POST', parent.address, '/count')
    await call('POST', parent.address, '/count')
    await engine.capture(parent.execution, directory)
    const clone = await engine.restore(spec(), { name: directory, kind: 'memory', engineVersion: 'fake-1' })
    await call('POST', parent.address, '/count')
    expect(await (await call('POST', clone.address, '/count')).json()).toEqual({ counter: 3 })
    engine.memory(clone.execution).counter = 40
    expect(await (await call('GET', clone.address, '/state')).json()).toMatchObject({ counter: 40 })
    expect(engine.memory(parent.execution).counter).toBe(3)
  })

  it('demands the token that init gave, except for health and init', async () => {
    const { address } = await engine.boot(spec())
    const told = { accessToken: 'one', envVars: { A: 'b' }, sandboxId: 'i1' }
    expect((await call('POST', address, '/init', { body: told })).status).toBe(204)
    expect((await call('GET', address, '/health')).status).toBe(204)
    for (const token of ['two', '']) expect((await call('GET', address, '/envs', { token })).status).toBe(401)
    expect((await call('GET', address, '/envs')).status).toBe(401)
    expect(await (await call('GET', address, '/envs', { token: 'one' })).json()).toEqual({ A: 'b' })
  })

  it('takes the same token again and no other', async () => {
    const { address, execution } = await engine.boot(spec())
    const init = async (body: object): Promise<number> => (await call('POST', address, '/init', { body })).status
    expect(await init({ accessToken: 'one' })).toBe(204)
    expect(await init({ accessToken: 'one', hostname: 'renamed' })).toBe(204)
    expect([await init({ accessToken: 'two' }), await init({})]).toEqual([401, 401])
    expect(engine.memory(execution).identity).toEqual({ accessToken: 'one', hostname: 'renamed' })
    expect(await init({ accessToken: 5 })).toBe(400)
  })

  it('answers what came while it was frozen as soon as it is thawed', async () => {
    const { address, execution } = await engine.boot(spec())
    await engine.freeze(execution)
    const answered = call('POST', address, '/count')
    const counterWhenFrozen = engine.memory(execution).counter
    await engine.thaw(execution)
    expect([counterWhenFrozen, await (await answered).json()]).toEqual([0, { counter: 1 }])
  })

  it('stops in the middle of an answer when it is frozen', async () => {
    const { address, execution } = await engine.boot(spec())
    let more = (_text: string): void => undefined
    await engine.listen(execution, 8000, (_request, response) => {
      more = (text) => void response.write(text)
      response.write('first')
    })
    const { body } = await call('GET', address, '/', { port: 8000 })
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toBe('first')
    await engine.freeze(execution)
    more('second')
    const next = reader?.read().then(({ value }) => value)
    // What takes longer than bytes on the loopback take to arrive.
    const other = await engine.boot(spec())
    const health = call('GET', other.address, '/health').then(() => 'nothing')
    expect(await Promise.race([next, health])).toBe('nothing')
    await engine.thaw(execution)
    expect(await next).toBe('second')
    await reader?.cancel()
  })

  it('opens ports that stay open over capture and restore', async () => {
    const { execution } = await engine.boot(spec())
    await engine.listen(execution, 8000, (_request, response) => void response.end('service'))
    await engine.capture(execution, directory)
    await engine.destroy(execution)
    const { address } = await engine.restore(spec(), { name: directory, kind: 'memory', engineVersion: 'fake-1' })
    expect(await (await call('GET', address, '/', { port: 8000 })).text()).toBe('service')
  })
})

describe('images of files', () => {
  it('keep the files and nothing of the memory', async () => {
    const parent = await engine.boot(spec())
    await call('POST', parent.address, '/count')
    await call('POST', parent.address, '/files?path=%2Fhome%2Fa', { body: { written: true } })
    const bootId = await (await call('GET', parent.address, '/files?path=/proc/sys/kernel/random/boot_id')).text()
    await engine.captureFiles(parent.execution, directory)
    const next = await engine.boot(spec(), { name: directory, kind: 'files', engineVersion: 'fake-1' })
    expect(await (await call('GET', next.address, '/files?path=/home/a')).json()).toEqual({ written: true })
    expect(engine.memory(next.execution).counter).toBe(0)
    expect(await (await call('GET', next.address, '/files?path=/proc/sys/kernel/random/boot_id')).text()).not.toBe(bootId)
    expect((await call('GET', next.address, '/files?path=/home/b')).status).toBe(404)
  })

  it('are told from images of memory', async () => {
    await engine.captureFiles((await engine.boot(spec())).execution, directory)
    const image = { name: directory, engineVersion: 'fake-1' }
    await expect(engine.restore(spec(), { ...image, kind: 'memory' })).rejects.toMatchObject({ kind: 'damaged' })
    await expect(engine.restore(spec(), { ...image, kind: 'files' })).rejects.toMatchObject({ kind: 'internal' })
    await expect(engine.boot(spec(), { ...image, kind: 'memory' })).rejects.toMatchObject({ kind: 'internal' })
  })
})

describe('faults', () => {
  const ordered = new TorporError('no_space', 'ordered')

  it('fail the next calls of one verb, and no others', async () => {
    const { execution } = await engine.boot(spec())
    engine.faults.failNext('freeze', ordered, 2)
    await expect(engine.freeze(execution)).rejects.toBe(ordered)
    await engine.stats(execution)
    await expect(engine.freeze(execution)).rejects.toBe(ordered)
    await engine.freeze(execution)
    expect(await engine.list()).toMatchObject([{ status: 'frozen' }])
  })

  it.each(['boot', 'restore'] as const)('leave nothing behind a failed %s', async (verb) => {
    engine.faults.failNext(verb, ordered)
    const begun =
      verb === 'boot' ? engine.boot(spec()) : engine.restore(spec(), { name: directory, kind: 'memory', engineVersion: 'fake-1' })
    await expect(begun).rejects.toBe(ordered)
    expect([await engine.list(), engine.machine.processes]).toEqual([[], []])
  })

  it('hold a call until it is released, and what comes for the same execution waits behind it', async () => {
    const { execution } = await engine.boot(spec())
    const held = engine.faults.hold('freeze')
    const done: string[] = []
    const freeze = engine.freeze(execution).then(() => done.push('freeze'))
    const thaw = engine.thaw(execution).then(() => done.push('thaw'))
    expect(await held.reached).toBe(execution)
    expect(await engine.list()).toMatchObject([{ status: 'running' }])
    held.release()
    await Promise.all([freeze, thaw])
    expect(done).toEqual(['freeze', 'thaw'])
  })

  it('show that destroy makes a held capture fail at once, and that it never writes', async () => {
    const { execution } = await engine.boot(spec())
    const held = engine.faults.hold('capture')
    const failed = failureOf(engine.capture(execution, directory))
    await held.reached
    await engine.destroy(execution)
    expect(await failed).toMatchObject({ kind: 'not_found' })
    held.release()
    // Another one that takes as long: if the first one still wrote, it has done so after this.
    await engine.capture((await engine.boot(spec())).execution, await mkdtemp(path.join(directory, 'other-')))
    expect(await readdir(directory)).toEqual([expect.stringContaining('other-')])
  })

  it('show that destroy ends a boot in progress', async () => {
    const wanted = spec()
    const held = engine.faults.hold('boot')
    const failed = failureOf(engine.boot(wanted))
    await held.reached
    expect(await engine.list()).toEqual([])
    await engine.destroy(wanted.execution)
    held.release()
    expect(await failed).toMatchObject({ kind: 'not_found' })
    expect(engine.machine.processes).toEqual([])
  })

  it('lie in the list until they are cleared', async () => {
    const { execution } = await engine.boot(spec())
    engine.faults.lieInList((truth) => truth.map((observed) => ({ ...observed, status: 'stopped' })))
    expect(await engine.list()).toMatchObject([{ execution, status: 'stopped' }])
    engine.faults.clear()
    expect(await engine.list()).toMatchObject([{ execution, status: 'running' }])
  })
})

describe('endings', () => {
  const exits: ExecutionExit[] = []
  beforeEach(() => {
    exits.length = 0
    engine.onExit((exit) => exits.push(exit))
  })

  it('tell of a crash with its status, and cut what was connected', async () => {
    const { execution, address } = await engine.boot(spec())
    await engine.freeze(execution)
    const cut = failureOf(call('GET', address, '/health'))
    await engine.crash(execution, 137)
    expect(await cut).toMatchObject({ message: 'fetch failed' })
    expect(exits).toEqual([{ execution, status: 137 }])
    await expect(engine.crash(execution, 137)).rejects.toMatchObject({ kind: 'conflict' })
  })

  it('come after shortages of memory, which are told to those who listen', async () => {
    const { execution } = await engine.boot(spec())
    const told: MemoryPressure[] = []
    const unsubscribe = engine.onMemoryPressure((pressure) => told.push(pressure))
    engine.pressMemory(execution, 600, 512)
    unsubscribe()
    engine.pressMemory(execution)
    expect(told).toEqual([{ execution, usageBytes: 600, limitBytes: 512 }])
    await engine.crash(execution, 137)
    expect(() => engine.pressMemory(execution)).toThrow(TorporError)
  })

  it('tell nothing of one that vanishes', async () => {
    const { execution } = await engine.boot(spec())
    await engine.vanish(execution)
    expect([exits, await engine.list()]).toEqual([[], []])
    await expect(engine.thaw(execution)).rejects.toMatchObject({ kind: 'not_found' })
  })
})

describe('a machine', () => {
  it('restores no image of another build, whatever its reference says', async () => {
    await engine.capture((await engine.boot(spec())).execution, directory)
    const next = createFakeEngine({ machine: engine.machine, version: 'fake-2' })
    await expect(next.restore(spec(), { name: directory, kind: 'memory', engineVersion: 'fake-1' })).rejects.toMatchObject({
      kind: 'unavailable',
    })
    await expect(next.restore(spec(), { name: directory, kind: 'memory', engineVersion: 'fake-2' })).rejects.toMatchObject({
      kind: 'damaged',
    })
    expect(await next.list()).toMatchObject([{ engineVersion: 'fake-1' }])
  })

  it('outlives an engine: the next one finds its executions, and only the next one is told', async () => {
    const { execution, address } = await engine.boot(spec())
    await engine.close()
    const exits: string[] = []
    engine.onExit(() => exits.push('former'))
    await engine.close()
    const next = createFakeEngine({ machine: engine.machine })
    next.onExit(() => exits.push('next'))
    expect(await next.list()).toEqual([{ execution, address, engineVersion: 'fake-1', status: 'running' }])
    await expect(engine.list()).rejects.toMatchObject({ kind: 'unavailable' })
    await next.crash(execution, 1)
    expect(exits).toEqual(['next'])
  })

  it('refuses an execution id twice, and leaves the first one as it is', async () => {
    const wanted = spec()
    await engine.boot(wanted)
    await expect(engine.boot(wanted)).rejects.toMatchObject({ kind: 'conflict' })
    expect(await engine.list()).toHaveLength(1)
  })

  it('runs out of addresses at 254 and has one again after a destroy', async () => {
    const booted = await Promise.all(Array.from({ length: 254 }, () => engine.boot(spec())))
    await expect(engine.boot(spec())).rejects.toMatchObject({ kind: 'exhausted' })
    await engine.destroy(booted[100]?.execution ?? '')
    expect((await engine.boot(spec())).address).toBe(booted[100]?.address)
  })
})

describe('a record of calls', () => {
  it('holds every verb in the order of arrival', async () => {
    const { execution } = await engine.boot(spec())
    await engine.freeze(execution)
    await engine.thaw('unknown').catch(() => undefined)
    await engine.list()
    expect(engine.calls.map(({ verb }) => verb)).toEqual(['boot', 'freeze', 'thaw', 'list'])
    expect(engine.calls[2]).toEqual({ verb: 'thaw', execution: 'unknown' })
  })
})
