import { type ErrorKind, TorporError, errorStatus } from '@torpor/contract'
import { describe, expect, test } from 'vitest'

import { startApi } from './testing/fake-core.ts'

async function failWith(error: unknown) {
  const { ask, core, log } = startApi()
  core.getSandbox = () => {
    throw error
  }
  return { answer: await ask('GET /sandboxes/iabcdefghij0123456789'), log }
}

describe('an error', () => {
  const kinds: readonly ErrorKind[] = [
    'invalid_argument',
    'unauthenticated',
    'not_found',
    'conflict',
    'exhausted',
    'unavailable',
    'no_space',
    'damaged',
  ]

  test.each(kinds)('of kind %s has its status and the same code', async (kind) => {
    const { answer } = await failWith(new TorporError(kind, 'why'))
    expect(answer.status).toBe(errorStatus[kind])
    expect(await answer.json()).toEqual({ code: errorStatus[kind], message: 'why' })
    expect(answer.headers.get('content-type')).toContain('application/json')
  })

  test('that is not ours tells nothing, and is in the log under the request id', async () => {
    const failure = new Error('SQLITE_IOERR /var/lib/torpor')
    const { answer, log } = await failWith(failure)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('SQLITE')
    const line = log.lines.find(({ level }) => level === 'error')
    expect(line?.context).toMatchObject({ requestId: answer.headers.get('x-request-id'), error: failure })
  })

  test('of a damaged state tells the user so, and the log what is damaged', async () => {
    const cause = new TorporError('damaged', 'no such page', { context: { directory: '/var/lib/torpor/images/i1' } })
    const message = 'The saved state of sandbox "i1" is damaged: it cannot be resumed. Kill it, or reset it to a snapshot'
    const { answer, log } = await failWith(new TorporError('damaged', message, { cause, context: cause.context }))
    expect([answer.status, await answer.json()]).toEqual([500, { code: 500, message }])
    expect(log.lines.find(({ level }) => level === 'warn')?.context).toMatchObject({ kind: 'damaged', context: cause.context })
  })

  test('that a retry may heal says in whole seconds when', async () => {
    const { answer } = await failWith(new TorporError('exhausted', 'full', { retryAfterSeconds: 0.2 }))
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  test('of a user is no line of alarm', async () => {
    const { log } = await failWith(new TorporError('not_found', 'no'))
    expect(log.lines.map(({ level }) => level)).toEqual(['info'])
  })

  test('of the machine is a warning with its cause', async () => {
    const cause = new Error('ENOSPC')
    const { log } = await failWith(new TorporError('no_space', 'The disk is full', { cause }))
    expect(log.lines.find(({ level }) => level === 'warn')?.context).toMatchObject({ kind: 'no_space', error: cause })
  })
})
