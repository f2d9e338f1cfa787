import { AuthenticationError, InvalidArgumentError, SandboxError, SandboxNotFoundError } from 'e2b'
import { expect, it } from 'vitest'

import { translated } from './problem.ts'

/** By name only: this notices when the SDK renames one. */
it.each([
  [new SandboxNotFoundError('gone'), 4],
  [new AuthenticationError('who'), 5],
  [new InvalidArgumentError('what'), 2],
  [Object.assign(new SandboxError('429: full'), { statusCode: 429 }), 1],
  [new TypeError('fetch failed', { cause: new Error('bad port') }), 3],
  [Object.assign(new Error('outer'), { cause: Object.assign(new Error('inner'), { code: 'ECONNREFUSED' }) }), 3],
])('an error of the SDK has an exit code: %s', (error, exitCode) => {
  expect(translated(error, 'http://a:1')).toMatchObject({ name: 'RemoteProblem', exitCode })
})

it('leaves an error of this program alone', () => {
  const bug = new TypeError('x is not a function')
  expect(translated(bug, 'http://a:1')).toBe(bug)
})
