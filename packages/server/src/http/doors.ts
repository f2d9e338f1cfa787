import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import {
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  createServer as createHttp2Server,
} from 'node:http2'
import type { Duplex } from 'node:stream'

type Request = IncomingMessage | Http2ServerRequest

/** What one origin serves: sandboxes by the edge, everything else by the API. */
export interface Doors {
  readonly edge: {
    match(request: Request): boolean
    shouldUpgrade(request: IncomingMessage): boolean
    handle(request: IncomingMessage, response: ServerResponse): void
    handle(request: Http2ServerRequest, response: Http2ServerResponse): void
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  }
  readonly api: (request: Request, response: ServerResponse | Http2ServerResponse) => void
}

const mebibyte = 1024 * 1024
/** A connection over which nothing is asked for so long is closed. */
const idleMilliseconds = 120_000

/**
 * HTTP/1.1. Requests into sandboxes may be silent or last for hours, so there is no limit on a request's length; the headers
 * must arrive within Node's default time.
 */
export function http1Server({ edge, api }: Doors): Server {
  const options = {
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    // Clients that offer h2c with every request are served plain HTTP.
    shouldUpgradeCallback: (request: IncomingMessage) => edge.match(request) && edge.shouldUpgrade(request),
  }
  const server = createServer(options, (request, response) =>
    edge.match(request) ? edge.handle(request, response) : api(request, response),
  )
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    edge.match(request)
      ? edge.upgrade(request, socket, head)
      : socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
  )
  return server
}

/** HTTP/2 for connections that are handed to it by `connection` events. WebSockets come over HTTP/1.1: it offers none. */
export function http2Server({ edge, api }: Doors): Http2Server {
  const options = {
    // Enough for one SDK's commands and files at once, each with its window; the default would end the connection.
    maxSessionMemory: 64,
    settings: { maxConcurrentStreams: 250, initialWindowSize: mebibyte / 4, enableConnectProtocol: false },
    // Sandboxes' answers are passed on, odd ones too.
    strictSingleValueFields: false,
  }
  const server = createHttp2Server(options, (request, response) =>
    edge.match(request) ? edge.handle(request, response) : api(request, response),
  )
  server.on('checkContinue', (request: Http2ServerRequest, response: Http2ServerResponse) => server.emit('request', request, response))
  server.on('session', endWhenIdle)
  // A client that breaks its connection off is no failure.
  server.on('sessionError', () => undefined)
  return server
}

function endWhenIdle(session: ServerHttp2Session): void {
  let open = 0
  session.setLocalWindowSize(4 * mebibyte)
  session.on('stream', (stream) => {
    open += 1
    stream.once('close', () => (open -= 1))
  })
  session.setTimeout(idleMilliseconds, () => {
    if (open === 0) session.close()
  })
}
