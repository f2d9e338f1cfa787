import type { Readable } from 'node:stream'

import { getExtensionData, readTlsClientHello } from 'read-tls-client-hello'

const mostHeadBytes = 64 * 1024

/** The host name that a client asks for before anything is encrypted (RFC 6066, 3), in lower case. What it has sent is left unread. */
export async function nameInHello(client: Readable): Promise<string | undefined> {
  const name = getExtensionData(await readTlsClientHello(client), 'sni')?.serverName
  return typeof name === 'string' ? name.toLowerCase() : undefined
}

/** The host of an HTTP/1.1 request without its port, in lower case. What the client has sent is left unread. */
export async function nameInHead(client: Readable): Promise<string | undefined> {
  const read: Buffer[] = []
  let size = 0
  let host: string | undefined
  while (host === undefined && size < mostHeadBytes) {
    const chunk: unknown = client.read()
    if (chunk instanceof Buffer) {
      read.push(chunk)
      size += chunk.length
      host = hostIn(Buffer.concat(read).toString('latin1'))
    } else if (client.readableEnded || client.destroyed) break
    else await readable(client)
  }
  if (size > 0) client.unshift(Buffer.concat(read))
  return host === undefined || host === '' ? undefined : host
}

/** undefined as long as the head is not whole; empty when it names none, or more than one. */
function hostIn(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const hosts = [...text.slice(0, end).matchAll(/\r\nhost[ \t]*:[ \t]*([^\r\n]*)/gi)].map((match) => match[1] ?? '')
  return hosts.length === 1 ? (hosts[0] ?? '').trim().replace(/:\d+$/, '').toLowerCase() : ''
}

function readable(client: Readable): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close', 'error'] as const
    const done = (): void => {
      for (const event of events) client.off(event, done)
      resolve()
    }
    for (const event of events) client.once(event, done)
  })
}
