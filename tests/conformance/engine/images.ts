import { readdir } from 'node:fs/promises'

import type { ImageRef } from '@torpor/core'
import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { answers, bootIdOf, isSilent, read, recall, remember, write } from './sandbox-calls.ts'
import type { EngineUnderTest, Subject } from './under-test.ts'

/** Captures the memory of an execution as a restorable image. */
export async function captured({ engine, stagingDirectory, imageFrom }: EngineUnderTest, execution: string): Promise<ImageRef> {
  const directory = await stagingDirectory()
  await engine.capture(execution, directory)
  expect(await readdir(directory)).not.toEqual([])
  return imageFrom(directory, 'memory')
}

/** What the list says of an execution. */
export const statusOf = async ({ engine }: EngineUnderTest, execution: string): Promise<string | undefined> =>
  (await engine.list()).find((observed) => observed.execution === execution)?.status

/** Capture and restore. */
export function describeImages(subject: Subject): void {
  describe('capture', () => {
    it('leaves a running sandbox running', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      await captured(subject(), execution)
      expect(await statusOf(subject(), execution)).toBe('running')
      await answers(address)
    })

    it('leaves a frozen sandbox frozen, and it can still be thawed', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      await engine.freeze(execution)
      await captured(subject(), execution)
      expect(await statusOf(subject(), execution)).toBe('frozen')
      expect(await isSilent(address)).toBe(true)
      await engine.thaw(execution)
      await answers(address)
    })

    it('is overtaken by destroy', async () => {
      const { engine, spec, stagingDirectory } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      const directory = await stagingDirectory()
      const capture = engine.capture(execution, directory).catch((error: unknown) => error)
      await engine.destroy(execution)
      const outcome = await capture
      if (outcome !== undefined) expect(outcome).toBeInstanceOf(TorporError)
      expect(await engine.list()).toEqual([])
    })
  })
  describeRestore(subject)
}

function describeRestore(subject: Subject): void {
  describe('restore', () => {
    it('gives the sandbox with what it remembered', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      await remember(address, 'before the capture')
      const image = await captured(subject(), execution)
      await engine.destroy(execution)
      const restored = await engine.restore(spec(), image)
      await answers(restored.address)
      expect(await recall(restored.address)).toBe('before the capture')
    })

    it('keeps files and the boot', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      await write(address, '/root/kept', 'content')
      const bootId = await bootIdOf(address)
      const restored = await engine.restore(spec(), await captured(subject(), execution))
      await answers(restored.address)
      expect([await read(restored.address, '/root/kept'), await bootIdOf(restored.address)]).toEqual(['content', bootId])
    })

    it('gives independent sandboxes from one image', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      const image = await captured(subject(), execution)
      const clones = await Promise.all([engine.restore(spec(), image), engine.restore(spec(), image)])
      const [one, two] = clones
      await Promise.all(clones.map((clone) => answers(clone.address)))
      expect(new Set([address, one.address, two.address]).size).toBe(3)
      await remember(one.address, 'one')
      await remember(two.address, 'two')
      expect([await recall(one.address), await recall(two.address)]).toEqual(['one', 'two'])
      await engine.freeze(one.execution)
      await answers(two.address)
    })

    it('needs the image no more once it is released', async () => {
      const { engine, spec, removeImage } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      const image = await captured(subject(), execution)
      const restored = await engine.restore(spec(), image)
      await engine.released(restored.execution)
      await removeImage(image)
      await answers(restored.address)
    })

    it('refuses the image of an engine build that is not there, and leaves nothing', async () => {
      const { engine, spec } = subject()
      const { execution, address } = await engine.boot(spec())
      await answers(address)
      const image = await captured(subject(), execution)
      await engine.destroy(execution)
      await expect(engine.restore(spec(), { ...image, engineVersion: 'no-such-build' })).rejects.toMatchObject({ kind: 'unavailable' })
      expect(await engine.list()).toEqual([])
    })

    it('refuses a directory that is no image, and leaves nothing', async () => {
      const { engine, spec, stagingDirectory, imageFrom } = subject()
      const image = await imageFrom(await stagingDirectory(), 'memory')
      await expect(engine.restore(spec(), image)).rejects.toMatchObject({ kind: 'damaged' })
      expect(await engine.list()).toEqual([])
    })
  })
}
