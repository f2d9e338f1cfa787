import { isKind } from '@torpor/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { gvisorUnderTest, processesWith, sandboxProcesses } from './engine/gvisor-under-test.ts'
import { answers } from './engine/sandbox-calls.ts'
import { type EngineUnderTest, logExits } from './engine/under-test.ts'

let made: EngineUnderTest | undefined
const subject = (): EngineUnderTest => {
  if (!made) throw new Error('the engine was not made')
  return made
}
beforeAll(async () => {
  made = await gvisorUnderTest('shared')
})
afterEach(async () => {
  const { engine } = subject()
  await Promise.all((await engine.list()).map(({ execution }) => engine.destroy(execution)))
})
afterAll(() => made?.close())

/** The host process that serves the execution: the runtime's processes name its state directory. */
async function hostOf(execution: string): Promise<number> {
  const root = `/run/torpor/`
  let state = ''
  await processesWith((words) => {
    if (words.includes('boot') && words.includes(execution)) state = words.find((word) => word.startsWith(`--root=${root}`)) ?? ''
    return false
  })
  const socket = state.slice('--root='.length).replace(/state$/, 'engine.sock')
  const [pid] = await processesWith((words) => words[1] === 'serve' && words[3] === socket)
  if (pid === undefined) throw new Error('there is no host')
  return pid
}

describe('a host that hangs', () => {
  it('is replaced: the call fails as unavailable, the next one succeeds, sandboxes go on', { timeout: 60_000 }, async () => {
    const { engine } = subject()
    const [running, frozen] = await Promise.all([engine.boot(subject().spec()), engine.boot(subject().spec())])
    await engine.freeze(frozen.execution)
    await answers(running.address)
    const host = await hostOf(running.execution)
    process.kill(host, 'SIGSTOP')
    await expect(engine.list()).rejects.toMatchObject({ kind: 'unavailable' })
    expect(await engine.list()).toHaveLength(2)
    expect(await hostOf(running.execution)).not.toBe(host)
    await answers(running.address)
    await engine.thaw(frozen.execution)
    await answers(frozen.address)
  })

  it('is replaced by the next server that finds it', { timeout: 60_000 }, async () => {
    const { engine } = subject()
    const { execution, address } = await engine.boot(subject().spec())
    process.kill(await hostOf(execution), 'SIGSTOP')
    await subject().reopen()
    expect(await subject().engine.list()).toMatchObject([{ execution, status: 'running' }])
    await answers(address)
  })
})

describe('a host that is killed', () => {
  it('hides no exit: what ends meanwhile is told by the next one', async () => {
    const { engine } = subject()
    using exits = logExits(engine)
    const { execution } = await engine.boot(subject().spec())
    process.kill(await hostOf(execution), 'SIGKILL')
    await subject().crash(execution)
    expect(await exits.of(execution)).toMatchObject({ execution })
    expect(exits.all).toHaveLength(1)
  })
})

describe('a sandbox that hangs', () => {
  it('fails to freeze in time, holds up no other, and can be destroyed', { timeout: 60_000 }, async () => {
    const { engine } = subject()
    const [hung, other] = await Promise.all([engine.boot(subject().spec()), engine.boot(subject().spec())])
    await Promise.all([answers(hung.address), answers(other.address)])
    for (const pid of await sandboxProcesses(hung.execution)) process.kill(pid, 'SIGSTOP')
    const outcome = engine.freeze(hung.execution).catch((error: unknown) => error)
    await engine.freeze(other.execution)
    await engine.thaw(other.execution)
    expect(isKind(await outcome, 'timed_out')).toBe(true)
    const started = Date.now()
    await engine.destroy(hung.execution)
    expect(Date.now() - started).toBeLessThan(10_000)
    expect(await engine.list()).toMatchObject([{ execution: other.execution }])
  })
})
