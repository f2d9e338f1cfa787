import { once } from 'node:events'
import { type IncomingMessage, createServer } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { type TLSSocket, connect as connectTls } from 'node:tls'

import { newSandboxId } from '@torpor/contract'
import { ActivityTable, RouteTable, createEdge } from '@torpor/edge'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type KeyPair, makeAuthority, makeLeaf } from '../tls/make-certificates.ts'
import { type Listener, listen } from './listener.ts'

const domain = 'sbx.test'
let authority: KeyPair
let leaf: KeyPair
let listener: Listener
let routes: RouteTable
let guestPort: number
const sandboxId = newSandboxId()
const guest = createServer((asked, response) => response.end(`guest ${String(asked.headers['x-forwarded-proto'])} ${asked.headers.host}`))
guest.on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nupgraded'))

const portOf = (address: string | undefined): number => Number(address?.split(':').at(-1))
const tlsPort = (): number => portOf(listener.tls?.address)

beforeEach(async () => {
  authority = await makeAuthority('Test', 10)
  leaf = await makeLeaf(authority, [domain, `*.${domain}`], 10)
  await once(guest.listen(0, '127.0.0.1'), 'listening')
  const bound = guest.address()
  guestPort = bound !== null && typeof bound === 'object' ? bound.port : 0
  routes = new RouteTable()
  routes.publish({ sandboxId, address: '127.0.0.1', accessToken: null, trafficToken: null, maskRequestHost: null })
  const edge = createEdge({ routes, activity: new ActivityTable(), wake: async () => undefined, domain, log: { error: () => undefined } })
  listener = await listen(
    { edge, api: (asked, response) => void response.end(`api ${asked.url}`) },
    {
      plain: { host: '127.0.0.1', port: 0 },
      tls: { at: { host: '127.0.0.1', port: 0 }, certificates: async () => leaf },
      onComplaint: () => undefined,
    },
  )
})
afterEach(async () => {
  vi.useRealTimers()
  await listener.close()
  guest.closeAllConnections()
  await new Promise((resolve) => void guest.close(resolve))
})

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

/** Over HTTP/1.1 and TLS, by host name. */
async function ask(host: string, path = '/', headers: Record<string, string> = {}): Promise<{ answer: IncomingMessage; body: string }> {
  const at = { host: '127.0.0.1', port: tlsPort(), servername: host, ca: authority.certificate, agent: false }
  const asked = request({ ...at, path, headers: { host, ...headers } }).end()
  const [answer] = await once(asked, 'response')
  return { answer, body: await textOf(answer) }
}

describe('the TLS listener', () => {
  it('serves the API below api.<domain> and sandboxes below theirs', async () => {
    expect((await ask(`api.${domain}`, '/sandboxes')).body).toBe('api /sandboxes')
    const host = `${guestPort}-${sandboxId}.${domain}`
    expect((await ask(host)).body).toBe(`guest https ${host}`)
  })

  it('speaks HTTP/2 with clients that choose it, to API and sandboxes on one connection', async () => {
    const client = connectHttp2(`https://api.${domain}`, {
      createConnection: () =>
        connectTls({ host: '127.0.0.1', port: tlsPort(), servername: `api.${domain}`, ca: authority.certificate, ALPNProtocols: ['h2'] }),
    })
    expect(await textOf(client.request({ ':path': '/health' }))).toBe('api /health')
    const host = `${guestPort}-${sandboxId}.${domain}`
    expect(await textOf(client.request({ ':authority': host }))).toBe(`guest https ${host}`)
    expect(await textOf(client.request({ 'e2b-sandbox-id': sandboxId, 'e2b-sandbox-port': String(guestPort) }))).toContain('guest https')
    client.destroy()
  })

  it('upgrades connections to sandboxes', async () => {
    const host = `${guestPort}-${sandboxId}.${domain}`
    const headers = { host, Connection: 'Upgrade', Upgrade: 'echo' }
    const at = { host: '127.0.0.1', port: tlsPort(), servername: host, ca: authority.certificate, agent: false }
    const [, socket, head] = await once(request({ ...at, headers }).end(), 'upgrade')
    socket.unshift(head)
    expect(await textOf(socket)).toBe('upgraded')
  })

  it('takes a connection that came in elsewhere', async () => {
    const { createServer: createTcpServer } = await import('node:net')
    const elsewhere = createTcpServer((socket) => listener.tls?.accept(socket))
    await once(elsewhere.listen(0, '127.0.0.1'), 'listening')
    const bound = elsewhere.address()
    const port = bound !== null && typeof bound === 'object' ? bound.port : 0
    const asked = request({ host: '127.0.0.1', port, servername: `api.${domain}`, ca: authority.certificate, agent: false }).end()
    const [answer] = await once(asked, 'response')
    expect(await textOf(answer)).toBe('api /')
    elsewhere.close()
  })

  it('shows a changed certificate within a minute, to new connections', async () => {
    await listener.close()
    vi.useFakeTimers({ toFake: ['setInterval'] })
    const certificates = vi.fn<() => Promise<KeyPair>>(async () => leaf)
    const doors = {
      edge: { match: () => false, shouldUpgrade: () => false, handle: () => undefined, upgrade: () => undefined },
      api: () => undefined,
    }
    const onComplaint = vi.fn<() => void>()
    listener = await listen(doors, {
      plain: { host: '127.0.0.1', port: 0 },
      tls: { at: { host: '127.0.0.1', port: 0 }, certificates },
      onComplaint,
    })
    const serial = async (): Promise<string> => {
      const socket: TLSSocket = connectTls({ host: '127.0.0.1', port: tlsPort(), servername: `api.${domain}`, ca: authority.certificate })
      await once(socket, 'secureConnect')
      const { serialNumber } = socket.getPeerCertificate()
      socket.destroy()
      return serialNumber
    }
    const before = await serial()
    leaf = await makeLeaf(authority, [`*.${domain}`], 10)
    await vi.advanceTimersByTimeAsync(60_000)
    const after = await serial()
    expect(after).not.toBe(before)
    certificates.mockRejectedValueOnce(new Error('half written'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(onComplaint).toHaveBeenCalledOnce()
    expect(await serial()).toBe(after)
  })

  it('survives what is no TLS, and closes with connections open', async () => {
    const socket = connectTcp(tlsPort(), '127.0.0.1')
    socket.on('error', () => undefined).write('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    expect((await ask(`api.${domain}`)).answer.statusCode).toBe(200)
    const idle = connectTcp(tlsPort(), '127.0.0.1')
    await once(idle, 'connect')
    idle.on('error', () => undefined)
    const closed = once(idle, 'close')
    await listener.close()
    await closed
  })
})
