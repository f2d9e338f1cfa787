import { ConfigError } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'
import { describe, expect, it } from 'vitest'

import { reportFailure } from './failure.ts'
import { Interrupted } from './interrupted.ts'

function reported(error: unknown): { code: number; text: string } {
  let text = ''
  const code = reportFailure(error, { write: (part) => (text += part) })
  return { code, text }
}

describe('reportFailure', () => {
  it('gives the line, the end of the log, what mends it and where the log is', () => {
    const problem = new SetupProblem('it broke', { mend: 'mend it', tail: 'one\ntwo', logFile: '/log' })
    expect(reported(problem)).toStrictEqual({ code: 1, text: 'torpor: it broke\n  | one\n  | two\n  mend: mend it\n  log: /log\n' })
  })

  it('gives every fault of the configuration', () => {
    expect(reported(new ConfigError(['A: bad', 'B: bad']))).toStrictEqual({ code: 2, text: 'torpor: A: bad\ntorpor: B: bad\n' })
  })

  it('says nothing when the user ended it', () => {
    expect(reported(new Interrupted())).toStrictEqual({ code: 130, text: '' })
  })

  it('knows what the system refuses', () => {
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    expect(reported(denied).text).toContain('needs root')
    expect(reported(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })).text).toContain('the disk is full\n  mend: ')
  })

  it('tells the causes of anything else, without a stack', () => {
    const error = new Error('the engine did not start', { cause: new Error('socket closed') })
    expect(reported(error)).toStrictEqual({ code: 1, text: 'torpor: the engine did not start: socket closed\n' })
  })
})
