import { type Answer, type StringAnswer, decode } from 'dns-packet'

const headerBytes = 12

/** Answers without records (RFC 1035, 4.1.1). */
export const responseCodes = { serverFailure: 2, noSuchName: 3 } as const

export interface Question {
  /** In lower case. */
  readonly name: string
  readonly type: number
  /** Where it ends in the message. */
  readonly end: number
}

/** The one question of a standard query (RFC 1035, 4.1.2); undefined for every other message. */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < headerBytes || (message.readUInt8(2) & 0xf8) !== 0 || message.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = headerBytes
  for (let length = message[at]; length !== 0; length = message[at]) {
    if (length === undefined || length > 63) return undefined
    const label = message.toString('latin1', at + 1, at + 1 + length)
    // One with a dot would be taken for two.
    if (label.includes('.')) return undefined
    labels.push(label)
    at += 1 + length
  }
  const end = at + 5
  return end > message.length ? undefined : { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end }
}

/** The same question with nothing behind it, under its own id. */
export function bareQuestion(message: Buffer, { end }: Question): Buffer {
  const bare = Buffer.from(message.subarray(0, end))
  bare.fill(0, 6, headerBytes)
  return bare
}

/** An answer with a code and no records: programs give up at once instead of asking again. undefined: that was no question. */
export function answerWithCode(message: Buffer, code: number): Buffer | undefined {
  if (message.length < headerBytes) return undefined
  const answer = Buffer.from(message)
  answer.writeUInt8((message.readUInt8(2) & 0x79) | 0x80, 2)
  answer.writeUInt8(0x80 | code, 3)
  return answer
}

const isAddress = (record: Answer): record is StringAnswer => record.type === 'A'

/** The IPv4 addresses that an answer leads to, and for how many seconds it says so. */
export function addressesIn(answer: Buffer): { readonly addresses: readonly string[]; readonly seconds: number } {
  try {
    const records = (decode(answer).answers ?? []).filter(isAddress)
    return { addresses: records.map(({ data }) => data), seconds: Math.min(...records.map(({ ttl }) => ttl ?? 0), 86_400) }
  } catch {
    return { addresses: [], seconds: 0 }
  }
}
