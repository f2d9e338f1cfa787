import type { ServerResponse } from 'node:http'
import { type Http2ServerResponse, constants } from 'node:http2'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'

/** The client's side of an exchange, the same over HTTP/1.1 and HTTP/2. */
export interface Answer {
  /** Takes the body once the answer has begun; emits `close` when nothing more can reach the client. */
  readonly body: Writable
  hasBegun(): boolean
  /** Bids a client send its body that waits for leave. */
  goOn(): void
  /** @param headers names, values, names… as HTTP/1.1 writes them, none that belongs to a connection. */
  begin(status: number, message: string, headers: readonly string[]): void
  /** Sends what has begun although no body has come yet. */
  flush(): void
  /** @param trailers names and values, sent after the body. */
  end(trailers: readonly [string, string][]): void
  /** Takes no other request after this one where a connection belongs to one request. */
  isLast(): void
  /** Breaks off, so that the client notices. */
  abort(): void
}

export class Http1Answer implements Answer {
  readonly body: ServerResponse

  constructor(response: ServerResponse) {
    this.body = response
    // Sandboxes say themselves what time it is, or do not.
    response.sendDate = false
  }

  get socket(): Socket | null {
    return this.body.socket
  }

  hasBegun(): boolean {
    return this.body.headersSent
  }

  goOn(): void {
    this.body.writeContinue()
  }

  begin(status: number, message: string, headers: readonly string[]): void {
    this.body.writeHead(status, message, [...headers])
  }

  flush(): void {
    this.body.flushHeaders()
  }

  end(trailers: readonly [string, string][]): void {
    if (trailers.length > 0) this.body.addTrailers(trailers)
    this.body.end()
  }

  isLast(): void {
    this.body.shouldKeepAlive = false
  }

  abort(): void {
    this.body.socket?.destroy()
  }
}

/** Writes to the stream itself: Node's imitation of HTTP/1.1 keeps one header of several with the same name. */
export class Http2Answer implements Answer {
  readonly body: Http2ServerResponse['stream']
  readonly #response: Http2ServerResponse

  constructor(response: Http2ServerResponse) {
    this.#response = response
    this.body = response.stream
  }

  hasBegun(): boolean {
    return this.body.headersSent
  }

  goOn(): void {
    this.body.additionalHeaders({ ':status': 100 })
  }

  begin(status: number, _message: string, headers: readonly string[]): void {
    const values = new Map<string, string[]>()
    for (let index = 0; index < headers.length; index += 2) {
      const name = (headers[index] ?? '').toLowerCase()
      const value = headers[index + 1] ?? ''
      const known = values.get(name)
      if (known) known.push(value)
      else values.set(name, [value])
    }
    this.body.respond({ ...Object.fromEntries(values), ':status': status }, { waitForTrailers: true })
  }

  flush(): void {
    // The headers went out at once.
  }

  end(trailers: readonly [string, string][]): void {
    // Node's imitation listens for the moment at which they are wanted.
    this.#response.addTrailers(Object.fromEntries(trailers))
    this.body.end()
  }

  isLast(): void {
    // A connection is for many requests.
  }

  abort(): void {
    this.body.close(constants.NGHTTP2_INTERNAL_ERROR)
  }
}
