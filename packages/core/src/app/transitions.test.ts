import { expect, it } from 'vitest'

import { Transitions } from './transitions.ts'

/** Work that goes on until it is let go. */
function task(log: string[], name: string) {
  const done = Promise.withResolvers<void>()
  const work = async (signal: AbortSignal): Promise<void> => {
    log.push(`${name} begins`)
    await Promise.race([done.promise, new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))])
    log.push(`${name} ends`)
  }
  return { work, finish: done.resolve, fail: done.reject }
}

it('joins a second caller of the same action', async () => {
  const [transitions, log] = [new Transitions(), [] as string[]]
  const pause = task(log, 'pause')
  const calls = [1, 2, 3].map(() => transitions.run('i1', 'pause', pause.work))
  expect(transitions.current('i1')).toBe('pause')
  pause.finish()
  await Promise.all(calls)
  expect([log, transitions.current('i1')]).toEqual([['pause begins', 'pause ends'], undefined])
})

it('gives its failure to all who joined, and is free afterwards', async () => {
  const [transitions, log] = [new Transitions(), [] as string[]]
  const pause = task(log, 'pause')
  const calls = [1, 2].map(() => transitions.run('i1', 'pause', pause.work))
  pause.fail(new Error('fails'))
  expect(await Promise.allSettled(calls)).toMatchObject([{ reason: { message: 'fails' } }, { reason: { message: 'fails' } }])
  await transitions.run('i1', 'pause', () => Promise.resolve())
})

it('lets another action wait, whether the first one succeeds or fails', async () => {
  for (const end of ['finish', 'fail'] as const) {
    const [transitions, log] = [new Transitions(), [] as string[]]
    const [pause, resume] = [task(log, 'pause'), task(log, 'resume')]
    const paused = transitions.run('i1', 'pause', pause.work).catch(() => log.push('pause ends'))
    const resumed = transitions.run('i1', 'resume', resume.work)
    resume.finish()
    expect(log).toEqual(['pause begins'])
    pause[end]()
    await Promise.all([paused, resumed])
    expect(log.filter((entry) => entry !== 'pause ends')).toEqual(['pause begins', 'resume begins', 'resume ends'])
  }
})

it('lets kill abort what is in progress and go before those who wait', async () => {
  const [transitions, log] = [new Transitions(), [] as string[]]
  const [pause, kill, resume] = [task(log, 'pause'), task(log, 'kill'), task(log, 'resume')]
  const paused = transitions.run('i1', 'pause', pause.work).catch((error: unknown) => error)
  const resumed = transitions.run('i1', 'resume', resume.work)
  const killed = [1, 2].map(() => transitions.run('i1', 'kill', kill.work))
  expect(transitions.current('i1')).toBe('kill')
  kill.finish()
  resume.finish()
  expect(await paused).toMatchObject({ kind: 'not_found' })
  await Promise.all([...killed, resumed])
  expect(log).toEqual(['pause begins', 'kill begins', 'kill ends', 'resume begins', 'resume ends'])
})

it('does different sandboxes at the same time', async () => {
  const [transitions, log] = [new Transitions(), [] as string[]]
  const [one, two] = [task(log, 'one'), task(log, 'two')]
  const calls = [transitions.run('i1', 'pause', one.work), transitions.run('i2', 'pause', two.work)]
  expect([log, transitions.doing('pause'), transitions.doing('kill')]).toEqual([['one begins', 'two begins'], ['i1', 'i2'], []])
  one.finish()
  two.finish()
  await Promise.all(calls)
})

it('is idle when all have ended, well or not', async () => {
  const [transitions, log] = [new Transitions(), [] as string[]]
  const [one, two] = [task(log, 'one'), task(log, 'two')]
  const failed = transitions.run('i1', 'pause', one.work).catch(() => undefined)
  const ended = transitions.run('i2', 'pause', two.work)
  const idle = transitions.idle()
  one.fail(new Error('fails'))
  two.finish()
  await Promise.all([idle, failed, ended])
  expect([transitions.current('i1'), transitions.current('i2')]).toEqual([undefined, undefined])
  await transitions.settled('i1')
})
