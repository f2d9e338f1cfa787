import { type IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** A request as a server of Node gives it, over HTTP/1.1 or HTTP/2. */
export type Message = IncomingMessage | Http2ServerRequest

/** What decides where a request goes. */
export interface RequestHead {
  readonly method?: string | undefined
  /** The request's target as it came. */
  readonly url?: string | undefined
  /** By lower-case name, `host` among them whatever the version of HTTP. */
  readonly headers: IncomingHttpHeaders
}

/** A client's request, the same whatever version of HTTP it came over. */
export interface ClientRequest extends RequestHead {
  /** Names, values, names… as HTTP/1.1 writes them. */
  readonly rawHeaders: readonly string[]
  readonly remoteAddress: string | undefined
  readonly isEncrypted: boolean
  readonly hasBody: boolean
  /** Its body; to be read only when `hasBody`. */
  readonly body: Readable
  /** Whether the whole body has come. */
  readonly isComplete: () => boolean
}

export const headOf = (message: Message): RequestHead => (message instanceof IncomingMessage ? message : http2Head(message))

export const clientRequest = (message: Message): ClientRequest =>
  message instanceof IncomingMessage ? http1Request(message) : http2Request(message)

function http1Request(message: IncomingMessage): ClientRequest {
  const { method, url, headers, rawHeaders, socket } = message
  return {
    method,
    url,
    headers,
    rawHeaders,
    remoteAddress: socket.remoteAddress,
    isEncrypted: socket instanceof TLSSocket,
    hasBody: headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0,
    body: message,
    isComplete: () => message.complete,
  }
}

function http2Head({ method, url, headers }: Http2ServerRequest): RequestHead {
  const { ':authority': authority, ...others } = headers
  return { method, url, headers: authority === undefined ? others : { ...others, host: authority } }
}

function http2Request(message: Http2ServerRequest): ClientRequest {
  const { stream, rawHeaders } = message
  return {
    ...http2Head(message),
    rawHeaders: http1Headers(rawHeaders, message.headers.cookie),
    remoteAddress: stream.session?.socket.remoteAddress,
    isEncrypted: stream.session?.encrypted === true,
    hasBody: !stream.endAfterHeaders,
    body: stream,
    isComplete: () => stream.readableEnded,
  }
}

/** Without pseudo-headers, and with the crumbs of a cookie in one header, as HTTP/1.1 demands (RFC 9113, 8.2.3 and 8.3). */
function http1Headers(rawHeaders: readonly string[], cookie: string | undefined): string[] {
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (!name.startsWith(':') && name !== 'cookie') kept.push(name, rawHeaders[index + 1] ?? '')
  }
  return cookie === undefined ? kept : [...kept, 'cookie', cookie]
}
