import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { answerWithCode, responseCodes } from './dns-message.ts'
import { machineResolvers } from './upstream.ts'

test('the machine’s resolvers are read anew each time, at most three', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'torpor-resolver-'))
  try {
    const file = path.join(directory, 'resolv.conf')
    await writeFile(
      file,
      '# a comment\nsearch example\nnameserver 192.0.2.1\n nameserver 2001:db8::1\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n',
    )
    expect(await machineResolvers(file)).toEqual(['192.0.2.1', '2001:db8::1', '192.0.2.3'])
    await writeFile(file, '')
    expect(await machineResolvers(file)).toEqual([])
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a question that nobody answers is answered with SERVFAIL under its own id; what is no question is not answered', () => {
  const question = Buffer.from('abcd0100000100000000000001610000010001', 'hex')
  const answer = answerWithCode(question, responseCodes.serverFailure)
  expect(answer?.subarray(0, 4).toString('hex')).toBe('abcd8182')
  expect(answer?.subarray(12)).toEqual(question.subarray(12))
  expect(answerWithCode(Buffer.from('abcd', 'hex'), 2)).toBeUndefined()
})
