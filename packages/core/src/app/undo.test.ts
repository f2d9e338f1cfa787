import { expect, it } from 'vitest'

import { Undo } from './undo.ts'

const warnings: unknown[] = []
const log = { info: () => undefined, warn: (context: unknown) => void warnings.push(context), error: () => undefined }

it('undoes everything, the last first, also when one of it fails', async () => {
  const done: string[] = []
  const work = async (): Promise<void> => {
    await using undo = new Undo(log)
    undo.add('first', () => void done.push('first'))
    undo.add('second', () => Promise.reject(new Error('fails')))
    undo.add('third', () => void done.push('third'))
    throw new Error('the cause')
  }
  await expect(work()).rejects.toThrow('the cause')
  expect(done).toEqual(['third', 'first'])
  expect(warnings).toEqual([{ step: 'second', error: new Error('fails') }])
})

it('undoes nothing after release', async () => {
  const done: string[] = []
  {
    await using undo = new Undo(log)
    undo.add('first', () => void done.push('first'))
    undo.release()
  }
  expect(done).toEqual([])
})
