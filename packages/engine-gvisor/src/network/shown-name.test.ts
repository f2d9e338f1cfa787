import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { connect as connectSecurely } from 'node:tls'

import { describe, expect, test } from 'vitest'

import { nameInHead, nameInHello } from './shown-name.ts'

/** What a TLS client says first. */
async function hello(servername: string): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('not bound')
  const client = connectSecurely({ port: bound.port, host: '127.0.0.1', servername }).on('error', () => undefined)
  const [connection]: Socket[] = await once(server, 'connection')
  const [said]: Buffer[] = connection ? await once(connection, 'data') : []
  client.destroy()
  connection?.destroy()
  server.close()
  return said ?? Buffer.alloc(0)
}

describe('the name in a TLS hello', () => {
  test('is read from pieces of any size, and nothing is taken away', async () => {
    const said = await hello('Api.Example.org')
    for (const size of [1, 7, said.length]) {
      const pieces = Array.from({ length: Math.ceil(said.length / size) }, (_, index) => said.subarray(index * size, (index + 1) * size))
      const stream = Readable.from(pieces, { objectMode: false })
      expect(await nameInHello(stream)).toBe('api.example.org')
      expect(await buffer(stream)).toEqual(said)
    }
  })

  test('of something else is none', async () => {
    await expect(nameInHello(Readable.from([Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')], { objectMode: false }))).rejects.toThrow(/TLS|hello/i)
  })
})

describe('the host of a request', () => {
  const hostIn = (text: string): Promise<string | undefined> => nameInHead(Readable.from([Buffer.from(text)], { objectMode: false }))

  test('is read without its port, and nothing is taken away', async () => {
    const text = 'POST /a HTTP/1.1\r\naccept: */*\r\nHOST:  Example.org:8080 \r\n\r\nhost: other\r\n\r\n'
    for (const size of [1, 20, text.length]) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g'))?.map((piece) => Buffer.from(piece)) ?? []
      const stream = Readable.from(pieces, { objectMode: false })
      expect(await nameInHead(stream)).toBe('example.org')
      expect((await buffer(stream)).toString()).toBe(text)
    }
  })

  test.each([
    ['no host', 'GET / HTTP/1.1\r\naccept: */*\r\n\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\n\r\n'],
    ['no end', 'GET / HTTP/1.1\r\nhost: a.example\r\n'],
    ['nothing', ''],
    ['a head without end', `GET / HTTP/1.1\r\nhost: a.example\r\n${'a: b\r\n'.repeat(20_000)}`],
  ])('%s: none', async (_, text) => {
    expect(await hostIn(text)).toBeUndefined()
  })
})
