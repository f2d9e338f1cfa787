import type { Server as HttpServer } from 'node:http'
import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { type TLSSocket, createServer } from 'node:tls'

import type { CertificateSource } from '../tls/certificate-source.ts'
import { type ListenAddress, addressOf, bind } from './bind.ts'
import { type Doors, http2Server } from './doors.ts'

export interface TlsDoorOptions {
  readonly at: ListenAddress
  readonly certificates: CertificateSource
  readonly doors: Doors
  /** Takes the connections that do not speak HTTP/2; listens already, so that its time limits hold. */
  readonly http1: HttpServer
  readonly onComplaint: (message: string, error: unknown) => void
}

export interface TlsDoor {
  /** `host:port`, the real port. */
  readonly address: string
  /** Takes a connection that came in elsewhere, before its handshake. */
  accept(connection: Socket): void
  close(): Promise<void>
}

const handshakeMilliseconds = 15_000
const reloadMilliseconds = 60_000

/** Ends TLS and hands the connection to HTTP/2 or HTTP/1.1, whichever the client chose (ALPN). */
export async function openTlsDoor({ at, certificates, doors, http1, onComplaint }: TlsDoorOptions): Promise<TlsDoor> {
  const http2 = http2Server(doors)
  const connections = new Set<Socket>()
  const sessions = new Set<Http2Session>()
  let pair = await certificates()
  const options = { cert: pair.certificate, key: pair.key, ALPNProtocols: ['h2', 'http/1.1'], handshakeTimeout: handshakeMilliseconds }
  const server = createServer({ ...options, noDelay: true }, (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') http2.emit('connection', socket)
    else http1.emit('connection', socket)
  })
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    // Whoever owns the connection hears of it as well.
    socket.on('error', () => undefined)
  })
  http2.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  await bind(server, at, 'TORPOR_TLS_LISTEN')
  const reload = async (): Promise<void> => {
    const found = await certificates()
    if (found.certificate === pair.certificate && found.key === pair.key) return
    server.setSecureContext({ cert: found.certificate, key: found.key })
    pair = found
  }
  const timer = setInterval(() => {
    reload().catch((error: unknown) => onComplaint('the changed certificate cannot be used; the former one goes on', error))
  }, reloadMilliseconds).unref()
  return {
    address: addressOf(server),
    accept: (connection) => void server.emit('connection', connection),
    close: async () => {
      clearInterval(timer)
      const closed = new Promise((resolve) => void server.close(resolve))
      for (const session of sessions) session.destroy()
      for (const connection of connections) connection.destroy()
      await closed
    },
  }
}
