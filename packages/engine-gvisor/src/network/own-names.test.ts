import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'

import { expect, test } from 'vitest'

import { answerOwnName } from './own-names.ts'

const domain = 'sbx.localhost'

/** A question as programs send it. */
function question(name: string, type = 1): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)])
  return Buffer.concat([Buffer.from('abcd01000001000000000001', 'hex'), ...labels, Buffer.from([0, 0, type, 0, 1])])
}

test('the domain and all names below it have the address, in whatever case they are asked for', async () => {
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const answer = answerOwnName(message, domain, '169.254.53.53')
    if (answer) socket.send(answer, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = new Resolver({ timeout: 2000, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  for (const name of [domain, `3000-iabc.${domain}`, `API.Sbx.LocalHost`]) {
    expect(await resolver.resolve4(name, { ttl: true })).toEqual([{ address: '169.254.53.53', ttl: 60 }])
  }
  await expect(resolver.resolve6(`api.${domain}`)).rejects.toMatchObject({ code: 'ENODATA' })
  socket.close()
})

test('other names are nobody’s business here', () => {
  for (const name of ['example.org', 'localhost', 'notsbx.localhost', 'sbx.localhost.example.org']) {
    expect(answerOwnName(question(name), domain, '192.0.2.1')).toBeUndefined()
  }
  expect(answerOwnName(question(`a.${domain}`), domain, '192.0.2.1')).toBeDefined()
})

test('what is no question is not answered, wherever it is cut off', () => {
  const whole = question(`a.${domain}`)
  for (let length = 0; length < whole.length; length += 1) {
    expect(answerOwnName(whole.subarray(0, length), domain, '192.0.2.1')).toBeUndefined()
  }
  const response = Buffer.from(whole)
  response.writeUInt8(0x81, 2)
  expect(answerOwnName(response, domain, '192.0.2.1')).toBeUndefined()
})
