import { readQuestion } from './dns-message.ts'

const headerBytes = 12
const typeA = 1
const timeToLiveSeconds = 60

/**
 * The answer to a question for `domain` or a name below it: `address` for IPv4, an empty answer for every other type (RFC 1035,
 * 4.1). undefined: the question is about another name, or none that can be read.
 */
export function answerOwnName(question: Buffer, domain: string, address: string): Buffer | undefined {
  const asked = readQuestion(question)
  if (!asked || !isBelow(asked.name, domain)) return undefined
  const record = asked.type === typeA ? recordOf(address) : Buffer.alloc(0)
  const answer = Buffer.concat([question.subarray(0, asked.end), record])
  // A response, authoritative, with recursion as desired and available; what came with the question but it is left out.
  answer.writeUInt8((question.readUInt8(2) & 0x01) | 0x84, 2)
  answer.writeUInt8(0x80, 3)
  answer.writeUInt16BE(record.length > 0 ? 1 : 0, 6)
  answer.writeUInt32BE(0, 8)
  return answer
}

const isBelow = (name: string, domain: string): boolean => name === domain || name.endsWith(`.${domain}`)

/** Refers to the name in the question. */
function recordOf(address: string): Buffer {
  const record = Buffer.alloc(16)
  record.writeUInt16BE(0xc0_00 | headerBytes, 0)
  record.writeUInt16BE(typeA, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt32BE(timeToLiveSeconds, 6)
  record.writeUInt16BE(4, 10)
  record.set(address.split('.').map(Number), 12)
  return record
}
