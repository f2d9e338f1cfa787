import { describe, expect, it } from 'vitest'

import { answers } from './sandbox-calls.ts'
import { type Subject, logExits } from './under-test.ts'

/** Exits, and the restart of the server. */
export function describeEndings(subject: Subject): void {
  describe('onExit', () => {
    it('tells once of a crash and never of a destroy', async () => {
      const { engine, spec, crash } = subject()
      using exits = logExits(engine)
      const [destroyed, crashed, last] = await Promise.all([engine.boot(spec()), engine.boot(spec()), engine.boot(spec())])
      await engine.destroy(destroyed.execution)
      await crash(crashed.execution)
      await exits.of(crashed.execution)
      await engine.destroy(crashed.execution)
      await crash(last.execution)
      await exits.of(last.execution)
      expect(exits.all.map((exit) => exit.execution)).toEqual([crashed.execution, last.execution])
    })

    it('tells nothing to those who unsubscribed', async () => {
      const { engine, spec, crash } = subject()
      const former = logExits(engine)
      using present = logExits(engine)
      former[Symbol.dispose]()
      const { execution } = await engine.boot(spec())
      await crash(execution)
      await present.of(execution)
      expect(former.all).toEqual([])
    })

    it('goes with a list that shows the crashed one stopped until it is destroyed', async () => {
      const { engine, spec, crash } = subject()
      using exits = logExits(engine)
      const { execution } = await engine.boot(spec())
      await crash(execution)
      await exits.of(execution)
      expect(await engine.list()).toMatchObject([{ execution, status: 'stopped' }])
      await expect(engine.freeze(execution)).rejects.toMatchObject({ kind: 'conflict' })
      await engine.destroy(execution)
      expect(await engine.list()).toEqual([])
    })
  })

  describe('a restart of the server', () => {
    it('finds running and frozen executions as they were', async () => {
      const { engine, spec } = subject()
      const [running, frozen] = await Promise.all([engine.boot(spec()), engine.boot(spec())])
      await answers(frozen.address)
      await engine.freeze(frozen.execution)
      await subject().reopen()
      const { engine: next } = subject()
      const found = new Map((await next.list()).map((observed) => [observed.execution, observed]))
      expect(found.get(running.execution)).toEqual({ ...running, status: 'running' })
      expect(found.get(frozen.execution)).toEqual({ ...frozen, status: 'frozen' })
      await answers(running.address)
      await next.thaw(frozen.execution)
      await answers(frozen.address)
    })

    it('tells of crashes that come after it', async () => {
      const { engine, spec, crash } = subject()
      const { execution } = await engine.boot(spec())
      await subject().reopen()
      using exits = logExits(subject().engine)
      await crash(execution)
      expect(await exits.of(execution)).toMatchObject({ execution })
    })
  })
}
