import { X509Certificate, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:tls'

import { describe, expect, it } from 'vitest'

import { makeAuthority, makeLeaf } from './make-certificates.ts'

describe('certificates', () => {
  it('are an authority and a leaf apart from it, which fits its key and its names', async () => {
    const authority = await makeAuthority('Torpor test', 3650)
    const leaf = await makeLeaf(authority, ['sbx.test', '*.sbx.test'], 90)
    const [ca, own] = [new X509Certificate(authority.certificate), new X509Certificate(leaf.certificate)]
    expect([ca.ca, own.ca]).toStrictEqual([true, false])
    expect(own.verify(ca.publicKey)).toBe(true)
    expect(own.checkIssued(ca)).toBe(true)
    expect(own.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true)
    expect(own.checkHost('3000-iabc.sbx.test')).toBe('*.sbx.test')
    expect(own.checkHost('sbx.test')).toBe('sbx.test')
    expect(own.checkHost('a.b.sbx.test')).toBeUndefined()
    expect(Math.round((own.validToDate.getTime() - Date.now()) / 86_400_000)).toBe(90)
  })

  it('convince a client that trusts the authority, and no other', async () => {
    const [authority, stranger] = [await makeAuthority('Torpor test', 10), await makeAuthority('Torpor test', 10)]
    const leaf = await makeLeaf(authority, ['*.sbx.test'], 10)
    const server = createServer({ cert: leaf.certificate, key: leaf.key }, (socket) => socket.end('hello'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const at = { host: '127.0.0.1', port, servername: 'a.sbx.test' }
    const trusting = connect({ ...at, ca: authority.certificate })
    await once(trusting, 'secureConnect')
    expect(trusting.authorized).toBe(true)
    trusting.destroy()
    const doubting = connect({ ...at, ca: stranger.certificate })
    expect((await once(doubting, 'error'))[0]).toBeInstanceOf(Error)
    server.close()
  })
})
