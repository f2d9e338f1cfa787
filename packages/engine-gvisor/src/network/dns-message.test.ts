import { encode } from 'dns-packet'
import { expect, test } from 'vitest'

import { addressesIn, bareQuestion, readQuestion } from './dns-message.ts'

const query = encode({
  type: 'query',
  id: 7,
  flags: 0x1_00,
  questions: [{ type: 'A', name: 'a.example' }],
  additionals: [{ type: 'TXT', name: 'secret.example', data: 'secret' }],
})

test('a question is passed on with nothing behind it', () => {
  const question = readQuestion(query)
  expect(question).toMatchObject({ name: 'a.example', type: 1 })
  expect(question && bareQuestion(query, question)).toEqual(
    encode({ type: 'query', id: 7, flags: 0x1_00, questions: [{ type: 'A', name: 'a.example' }] }),
  )
})

test('a label with a dot in it is no name: it would be taken for two', () => {
  const odd = Buffer.from(query)
  // `a.example` as one label of nine.
  odd[12] = 9
  odd[14] = '.'.codePointAt(0) ?? 0
  expect(readQuestion(odd)).toBeUndefined()
})

test('the addresses of an answer, with the shortest time, at the end of a chain of names too', () => {
  const answer = encode({
    type: 'response',
    questions: [{ type: 'A', name: 'a.example' }],
    answers: [
      { type: 'CNAME', name: 'a.example', data: 'b.example', ttl: 5 },
      { type: 'A', name: 'b.example', data: '192.0.2.1', ttl: 300 },
      { type: 'A', name: 'b.example', data: '192.0.2.2', ttl: 60 },
    ],
  })
  expect(addressesIn(answer)).toEqual({ addresses: ['192.0.2.1', '192.0.2.2'], seconds: 60 })
  for (let length = 0; length < answer.length; length += 1) expect(() => addressesIn(answer.subarray(0, length))).not.toThrow()
})
