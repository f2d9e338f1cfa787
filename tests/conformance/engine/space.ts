import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { captured } from './images.ts'
import { answers, recall, remember } from './sandbox-calls.ts'
import type { Subject } from './under-test.ts'

const never = new AbortController().signal

/** What keeps captures short, wakes quick, and what all takes of the volume. */
export function describeSpace(subject: Subject): void {
  describe('flush', () => {
    it('leaves a running sandbox running, and what it remembers is captured after it', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      await remember(address, 'flushed')
      await engine.flush(execution)
      await answers(address)
      const image = await captured(subject(), execution)
      const restored = await engine.restore(spec(), image)
      await answers(restored.address)
      expect(await recall(restored.address)).toBe('flushed')
    })

    it('is not_found for what does not exist', async () => {
      await expect(subject().engine.flush('x-unknown')).rejects.toMatchObject({ kind: 'not_found' })
    })
  })

  describe('prefetch', () => {
    it('ends, and with its execution at the latest', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      const restored = await engine.restore(spec(), await captured(subject(), execution))
      await engine.prefetch(restored.execution)
      await answers(restored.address)
      const prefetch = engine.prefetch(execution).catch((error: unknown) => error)
      await engine.destroy(execution)
      const outcome = await prefetch
      if (outcome !== undefined) expect(outcome).toBeInstanceOf(TorporError)
    })
  })

  describe('space', () => {
    it('tells what an execution and an image take', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      const image = await captured(subject(), execution)
      for (const use of [await engine.space({ execution }), await engine.space({ image })]) {
        expect(use.sharedBytes).toBeLessThanOrEqual(use.allocatedBytes)
        expect(use.extents).toBeGreaterThanOrEqual(0)
      }
      expect((await engine.space({ image })).bytes).toBeGreaterThan(0)
    })
  })

  describe('compact', () => {
    it('leaves an image from which a sandbox comes back with what it remembered', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      await remember(address, 'in one piece')
      const image = await captured(subject(), execution)
      const { bytes } = await engine.space({ image })
      await engine.compact(image, never)
      await engine.compact(image, never)
      expect((await engine.space({ image })).bytes).toBe(bytes)
      const restored = await engine.restore(spec(), image)
      await answers(restored.address)
      expect(await recall(restored.address)).toBe('in one piece')
    })
  })
}
