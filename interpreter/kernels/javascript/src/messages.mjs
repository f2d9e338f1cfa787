/** Jupyter's messages on ZeroMQ frames, version 5.4 of the protocol. */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'

const delimiter = '<IDS|MSG>'

/** Signs and reads messages under one connection's key. */
export class Messages {
  #key
  #session = randomUUID()

  constructor(key) {
    this.#key = key
  }

  /** Frames of a message that answers `parent`; `to` are the addresses of its receiver. */
  encode(type, content, parent, to) {
    const header = {
      msg_id: randomUUID(),
      session: this.#session,
      username: 'kernel',
      date: new Date().toISOString(),
      msg_type: type,
      version: '5.4',
    }
    const parts = [header, parent?.header ?? {}, {}, content].map((part) => JSON.stringify(part))
    return [...to, delimiter, this.#sign(parts), ...parts]
  }

  /** undefined for what is not signed as it must be. */
  decode(frames) {
    const at = frames.findIndex((frame) => frame.toString() === delimiter)
    if (at < 0 || frames.length < at + 6) return undefined
    const parts = frames.slice(at + 2, at + 6)
    const given = frames[at + 1]
    const expected = Buffer.from(this.#sign(parts))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    const [header, , , content] = parts.map((part) => JSON.parse(part.toString()))
    return { header, content, from: frames.slice(0, at) }
  }

  #sign(parts) {
    const hmac = createHmac('sha256', this.#key)
    for (const part of parts) hmac.update(part)
    return hmac.digest('hex')
  }
}
