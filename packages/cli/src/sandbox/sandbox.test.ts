import { execFileSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

import { commandLine } from './exec.ts'
import { sandboxTable } from './list.ts'
import { type LogLine, withoutShown } from './logs.ts'

describe('commandLine', () => {
  it('takes one word as it is, and several as a command with its arguments', () => {
    expect(commandLine(['echo $HOME | wc'])).toBe('echo $HOME | wc')
    const words = ['printf', '%s|', 'a b', '$HOME', "it's", '']
    expect(execFileSync('sh', ['-c', commandLine(words)], { encoding: 'utf8' })).toBe("a b|$HOME|it's||")
  })
})

describe('logs that go on', () => {
  const line = (message: string): LogLine => ({ timestamp: '2026-01-01T00:00:00.000Z', level: 'info', message })

  it('show no line twice, and equal lines as often as they were written', () => {
    const shown = [line('a'), line('b'), line('b')].map((one) => JSON.stringify(one))
    expect(withoutShown([line('a'), line('b'), line('b'), line('b'), line('c')], shown)).toEqual([line('b'), line('c')])
    expect(withoutShown([line('a')], [])).toEqual([line('a')])
  })
})

it('a sleeping sandbox has no end in sight', () => {
  const common = {
    templateId: 't',
    metadata: {},
    startedAt: new Date(0),
    endAt: new Date(120_000),
    cpuCount: 2,
    memoryMB: 512,
    envdVersion: '1',
  }
  const text = sandboxTable(
    [
      { ...common, sandboxId: 'a', name: 'base', state: 'running' },
      { ...common, sandboxId: 'b', state: 'paused' },
    ],
    60_000,
  )
  expect(text).toBe(
    [
      'id  template  state    age    ends in  cpu  memory   metadata',
      'a   base      running  1 min  1 min    2    512 MiB',
      'b   t         paused   1 min           2    512 MiB',
      '',
    ].join('\n'),
  )
})
