import { setImmediate as nextTick } from 'node:timers/promises'

import { type ExecutionExit, openEgress } from '@torpor/core'
import { expect, it } from 'vitest'

import { KnownExecutions } from './known-executions.ts'

const note = (execution: string) => ({ execution, slot: 1, engineVersion: 'v1', egress: openEgress, onVolume: false })

function table(): { known: KnownExecutions; told: ExecutionExit[] } {
  const told: ExecutionExit[] = []
  return { known: new KnownExecutions((exit) => told.push(exit)), told }
}

it('tells of an end once, however often it is found', () => {
  const { known, told } = table()
  known.adopt(note('a'))
  known.exited({ execution: 'a', status: 7 })
  known.exited({ execution: 'a', status: -1 })
  known.exited({ execution: 'nobody', status: 1 })
  expect(told).toEqual([{ execution: 'a', status: 7 }])
})

it('tells of an end that overtook the answer of its start only after that', async () => {
  const { known, told } = table()
  known.begin(note('a'))
  known.exited({ execution: 'a', status: 1 })
  expect([known.standing(), told]).toEqual([[], []])
  const answer = Promise.resolve().then(() => {
    known.stand('a')
    return [...told]
  })
  expect(await answer).toEqual([])
  await nextTick()
  expect(told).toEqual([{ execution: 'a', status: 1 }])
  expect(known.standing()).toHaveLength(1)
})

it('tells nothing of one whose start failed', async () => {
  const { known, told } = table()
  known.begin(note('a'))
  known.exited({ execution: 'a', status: 1 })
  known.forget('a')
  known.stand('a')
  await nextTick()
  expect(told).toEqual([])
})

it('tells nothing of one that is being destroyed, and lists it again when that fails', () => {
  const { known, told } = table()
  known.adopt(note('a'))
  const undo = known.end('a')
  expect(known.standing()).toEqual([])
  undo()
  expect(known.standing()).toEqual([note('a')])
  known.end('a')
  known.exited({ execution: 'a', status: 137 })
  expect(told).toEqual([])
})
