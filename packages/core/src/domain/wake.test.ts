import { expect, it } from 'vitest'

import type { SandboxRecord } from './sandbox.ts'
import { wakePolicyOf, wakesOnTraffic } from './wake.ts'

const agent = 49_983
type Part = Pick<SandboxRecord, 'lifecycle' | 'metadata' | 'image'>
const image = (kind: 'memory' | 'files') => ({ name: 'i/g1', kind, engineVersion: 'v' })
const part = (autoResume: boolean, metadata: Record<string, string> = {}, kind: 'memory' | 'files' = 'memory'): Part => ({
  lifecycle: { onTimeout: 'pause', autoResume, pauseKind: 'memory' },
  metadata,
  image: image(kind),
})
const wakes = (...given: Parameters<typeof part>): boolean[] => [agent, 3000, 8080].map((port) => wakesOnTraffic(part(...given), port))

it('R3 R5 R18 wakes only what was allowed to: by its lifecycle, or by metadata alone', () => {
  expect([wakes(false), wakes(true), wakes(false, { auto_resume: 'true' }), wakes(false, { auto_resume: 'yes' })]).toEqual([
    [false, false, false],
    [true, true, true],
    [true, true, true],
    [false, false, false],
  ])
})

it('wakes for what the policy names', () => {
  const policies = ['any', 'agent', 'ports', '3000', ' 3000, 8080 ']
  expect(policies.map((policy) => wakes(true, { wake_on: policy }))).toEqual([
    [true, true, true],
    [true, false, false],
    [false, true, true],
    [false, true, false],
    [false, true, true],
  ])
  expect(wakes(false, { wake_on: 'any' })).toEqual([false, false, false])
})

it('never wakes what kept its files only: nobody would answer', () => {
  expect(wakes(true, {}, 'files')).toEqual([false, false, false])
})

it.each(['', 'none', '0', '65536', '3000,', '3000;8080'])('refuses the policy %j, naming the field', (policy) => {
  expect(() => wakePolicyOf({ wake_on: policy })).toThrow(
    expect.objectContaining({ kind: 'invalid_argument', message: expect.stringMatching(/metadata\.wake_on/) }),
  )
})
