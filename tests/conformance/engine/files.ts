import type { ImageRef } from '@torpor/core'
import { describe, expect, it } from 'vitest'

import { captured, statusOf } from './images.ts'
import { answers, bootIdOf, isSilent, read, recall, remember, write } from './sandbox-calls.ts'
import type { EngineUnderTest, Subject } from './under-test.ts'

async function capturedFiles({ engine, stagingDirectory, imageFrom }: EngineUnderTest, execution: string): Promise<ImageRef> {
  const directory = await stagingDirectory()
  await engine.captureFiles(execution, directory)
  return imageFrom(directory, 'files')
}

/** A sandbox that has a file and remembers a word, frozen. */
async function frozenWithFile({ engine, spec }: EngineUnderTest): Promise<{ execution: string; address: string; bootId: string | undefined }> {
  const { execution, address } = await engine.boot(spec())
  await answers(address)
  await write(address, '/root/kept', 'content')
  await remember(address, 'only in memory')
  const bootId = await bootIdOf(address)
  await engine.freeze(execution)
  return { execution, address, bootId }
}

/** Images of the files alone. */
export function describeFiles(subject: Subject): void {
  describe('captureFiles', () => {
    it('leaves a frozen sandbox frozen, and it can still be thawed', async () => {
      const { engine } = subject()
      const { execution, address } = await frozenWithFile(subject())
      await capturedFiles(subject(), execution)
      expect(await statusOf(subject(), execution)).toBe('frozen')
      expect(await isSilent(address)).toBe(true)
      await engine.thaw(execution)
      await answers(address)
      expect(await recall(address)).toBe('only in memory')
    })
  })

  describe('boot on files', () => {
    it('gives a fresh sandbox with the files and without the memory', async () => {
      const { engine, spec } = subject()
      const { execution, bootId } = await frozenWithFile(subject())
      const image = await capturedFiles(subject(), execution)
      await engine.destroy(execution)
      const { address, ...booted } = await engine.boot(spec(), image)
      await answers(address)
      expect(await read(address, '/root/kept')).toBe('content')
      expect(await recall(address)).toBeUndefined()
      expect(await bootIdOf(address)).not.toBe(bootId)
      expect(booted.engineVersion).toBe(image.engineVersion)
    })

    it('gives independent sandboxes, of which images of both kinds can be taken', async () => {
      const { engine, spec } = subject()
      const { execution } = await frozenWithFile(subject())
      const image = await capturedFiles(subject(), execution)
      const [one, two] = await Promise.all([engine.boot(spec(), image), engine.boot(spec(), image)])
      await Promise.all([answers(one.address), answers(two.address)])
      await write(one.address, '/root/kept', 'changed')
      const [files, memory] = [await capturedFiles(subject(), one.execution), await captured(subject(), one.execution)]
      const [booted, restored] = await Promise.all([engine.boot(spec(), files), engine.restore(spec(), memory)])
      await Promise.all([answers(booted.address), answers(restored.address)])
      const addresses = [two.address, booted.address, restored.address]
      expect(await Promise.all(addresses.map((address) => read(address, '/root/kept')))).toEqual(['content', 'changed', 'changed'])
    })

    it('needs the image no more once it is released', async () => {
      const { engine, spec, removeImage } = subject()
      const { execution } = await frozenWithFile(subject())
      const image = await capturedFiles(subject(), execution)
      const { execution: next, address } = await engine.boot(spec(), image)
      await engine.released(next)
      await removeImage(image)
      await answers(address)
      expect(await read(address, '/root/kept')).toBe('content')
    })

    it('refuses with damaged what is no image of files, and leaves nothing', async () => {
      const { engine, spec, stagingDirectory, imageFrom } = subject()
      const empty = await imageFrom(await stagingDirectory(), 'files')
      await expect(engine.boot(spec(), empty)).rejects.toMatchObject({ kind: 'damaged' })
      expect(await engine.list()).toEqual([])
    })
  })
}
