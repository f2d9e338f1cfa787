import { TorporError } from '@torpor/contract'

/** A program of strangers answers: a message is never longer than this. */
const mostBytes = 4 * 1024 * 1024
const headerBytes = 5
const endFlag = 2

/** One message of a stream (protocol.md 3.3); `end`: the last one, which says how it went. */
export interface Envelope {
  readonly end: boolean
  readonly message: unknown
}

/** A message as the Connect protocol frames it. */
export function envelope(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32BE(body.length, 1)
  return Buffer.concat([header, body])
}

/** Takes a stream apart. @throws TorporError `unavailable` for what is no such stream. */
export async function* envelopes(stream: AsyncIterable<Buffer>): AsyncGenerator<Envelope> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= headerBytes) {
      const size = rest.readUInt32BE(1)
      if (size > mostBytes) throw new TorporError('unavailable', 'The sandbox sent a message that is too long')
      if (rest.length < headerBytes + size) break
      const flags = rest.readUInt8(0)
      const text = rest.toString('utf8', headerBytes, headerBytes + size)
      rest = rest.subarray(headerBytes + size)
      yield { end: (flags & endFlag) !== 0, message: parsed(text) }
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TorporError('unavailable', 'The sandbox sent a message that is no JSON', { cause })
  }
}
