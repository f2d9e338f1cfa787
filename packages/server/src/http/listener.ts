import type { CertificateSource } from '../tls/certificate-source.ts'
import { type ListenAddress, addressOf, bind } from './bind.ts'
import { type Doors, http1Server } from './doors.ts'
import { type TlsDoor, openTlsDoor } from './tls-door.ts'

export interface ListenOptions {
  readonly plain: ListenAddress
  /** undefined: no TLS. */
  readonly tls: { readonly at: ListenAddress; readonly certificates: CertificateSource } | undefined
  readonly onComplaint: (message: string, error: unknown) => void
}

export interface Listener {
  /** `host:port`, the real port. */
  readonly address: string
  readonly tls: TlsDoor | undefined
  /** Takes no new connection and ends the open ones. */
  close(): Promise<void>
}

/**
 * The listeners of both planes: plain HTTP, and TLS, which is the same server behind another door.
 * @throws TorporError `unavailable` when an address is taken.
 */
export async function listen(doors: Doors, { plain, tls, onComplaint }: ListenOptions): Promise<Listener> {
  const server = http1Server(doors)
  await bind(server, plain, 'TORPOR_LISTEN')
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => void server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  try {
    const tlsDoor = tls && (await openTlsDoor({ ...tls, doors, http1: server, onComplaint }))
    return {
      address: addressOf(server),
      tls: tlsDoor,
      close: async () => void (await Promise.all([tlsDoor?.close(), close()])),
    }
  } catch (error) {
    await close()
    throw error
  }
}
