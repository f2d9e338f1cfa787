import { isKind } from '@torpor/contract'
import { openEgress } from '@torpor/core'
import { describe, expect, it } from 'vitest'

import { answers, isSilent } from './sandbox-calls.ts'
import type { Subject } from './under-test.ts'

/** Boot, freeze, thaw, list, stats, destroy. */
export function describeLife(subject: Subject): void {
  describe('boot', () => {
    it('gives an execution that answers under its address', async () => {
      const { engine, spec } = subject()
      const wanted = spec()
      const { execution, address, engineVersion } = await engine.boot(wanted)
      expect({ execution, engineVersion }).toEqual({ execution: wanted.execution, engineVersion: engine.version })
      await answers(address)
    })

    it('leaves nothing behind when it fails, and the next one succeeds', async () => {
      const { engine, spec, failingSpec } = subject()
      await expect(engine.boot(failingSpec())).rejects.toThrow()
      expect(await engine.list()).toEqual([])
      await answers((await engine.boot(spec())).address)
    })

    it('serves eight calls at the same time, each with an address of its own', async () => {
      const { engine, spec } = subject()
      const booted = await Promise.all(Array.from({ length: 8 }, () => engine.boot(spec())))
      await Promise.all(booted.map(({ address }) => answers(address)))
      expect(new Set(booted.map(({ address }) => address)).size).toBe(8)
      expect(await engine.list()).toHaveLength(8)
    })
  })

  describe('list and stats', () => {
    it('show what runs and what is frozen', async () => {
      const { engine, spec } = subject()
      const [running, frozen] = await Promise.all([engine.boot(spec()), engine.boot(spec())])
      await engine.freeze(frozen.execution)
      const byId = new Map((await engine.list()).map((observed) => [observed.execution, observed]))
      expect(byId.get(running.execution)).toEqual({ ...running, status: 'running' })
      expect(byId.get(frozen.execution)).toEqual({ ...frozen, status: 'frozen' })
    })

    it('count memory, time and processes of an execution', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      const first = await engine.stats(execution)
      expect(first.memoryBytes).toBeGreaterThan(1024 * 1024)
      expect(first.processes).toBeGreaterThanOrEqual(1)
      expect(first.cpuNanoseconds).toBeGreaterThan(0)
      expect((await engine.stats(execution)).cpuNanoseconds).toBeGreaterThanOrEqual(first.cpuNanoseconds)
    })
  })
  describeFreezing(subject)
  describeDestroy(subject)
}

function describeFreezing(subject: Subject): void {
  describe('the rules about the outside', () => {
    const closed = { allow: ['192.0.2.1/32'], allowNames: ['a.example', '*.b.example'], deny: ['0.0.0.0/0', '192.0.0.0/8'] }

    it('are changed while it runs and while it is frozen, and taken back', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot({ ...spec(), egress: closed })
      await answers(address)
      await engine.freeze(execution)
      await engine.setEgress(execution, openEgress)
      await engine.thaw(execution)
      await Promise.all([engine.setEgress(execution, closed), engine.setEgress(execution, openEgress), engine.setEgress(execution, closed)])
      await answers(address)
      await engine.destroy(execution)
      await expect(engine.setEgress(execution, openEgress)).rejects.toMatchObject({ kind: 'not_found' })
    })
  })

  describe('freeze and thaw', () => {
    it('silence a sandbox and bring it back', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      await engine.freeze(execution)
      expect(await isSilent(address)).toBe(true)
      await engine.thaw(execution)
      await answers(address)
    })

    it('refuse with conflict what is so already', async () => {
      const { engine, spec } = subject()
      const { execution } = await engine.boot(spec())
      await expect(engine.thaw(execution)).rejects.toMatchObject({ kind: 'conflict' })
      await engine.freeze(execution)
      await expect(engine.freeze(execution)).rejects.toMatchObject({ kind: 'conflict' })
    })

    it('are taken one after the other: of two calls at once, one finds it done', async () => {
      const { engine, spec } = subject()
      const { execution } = await engine.boot(spec())
      const outcomes = await Promise.allSettled([engine.freeze(execution), engine.freeze(execution)])
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const refused = outcomes.find((outcome) => outcome.status === 'rejected')
      expect(isKind(refused?.reason, 'conflict')).toBe(true)
    })
  })
}

function describeDestroy(subject: Subject): void {
  describe('destroy', () => {
    it('ends an execution in any state and succeeds again', async () => {
      const { engine, spec } = subject()
      const [running, frozen] = await Promise.all([engine.boot(spec()), engine.boot(spec())])
      await engine.freeze(frozen.execution)
      await Promise.all([engine.destroy(running.execution), engine.destroy(frozen.execution)])
      expect(await engine.list()).toEqual([])
      expect(await isSilent(running.address)).toBe(true)
      await engine.destroy(running.execution)
      await engine.destroy('x0never0was')
    })

    it('called by several at once ends it once for all, and nothing of another one', async () => {
      const { engine, spec } = subject()
      const [one, other] = await Promise.all([engine.boot(spec()), engine.boot(spec())])
      await Promise.all([1, 2, 3].map(() => engine.destroy(one.execution)))
      const next = await Promise.all([engine.boot(spec()), engine.boot(spec())])
      expect(new Set([...next, other].map(({ address }) => address)).size).toBe(3)
      await Promise.all([...next, other].map(({ execution }) => engine.destroy(execution)))
      expect(await engine.list()).toEqual([])
    })

    it('makes every other verb fail with not_found', async () => {
      const { engine, spec, stagingDirectory } = subject()
      const { execution } = await engine.boot(spec())
      await engine.destroy(execution)
      const directory = await stagingDirectory()
      for (const verb of [
        () => engine.freeze(execution),
        () => engine.thaw(execution),
        () => engine.capture(execution, directory),
        () => engine.captureFiles(execution, directory),
        () => engine.stats(execution),
        () => engine.released(execution),
      ]) {
        await expect(verb()).rejects.toMatchObject({ kind: 'not_found' })
      }
    })
  })
}
