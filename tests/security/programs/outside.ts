/**
 * The internet, as far as these tests need it: DNS on port 53 (UDP and TCP), HTTP on 80, 8080 and 5432, HTTPS on 443, on every address of its
 * namespace. Arguments: certificate and key; the names it knows, as JSON. It answers HTTP with the address it was asked at and the
 * host it was asked for, `/bytes/<n>` with so many, and prints a line for every look-up.
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { type RequestListener, createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { networkInterfaces } from 'node:os'

import { type Packet, decode, encode, streamDecode, streamEncode } from 'dns-packet'

const [certificate = '', key = '', names = '{}'] = process.argv.slice(2)
const known = new Map(Object.entries(JSON.parse(names)))

function answer(query: Packet): Packet {
  const [question] = query.questions ?? []
  if (!question) return { ...query, type: 'response' }
  console.log(`look-up ${question.name}`)
  const address = question.type === 'A' ? known.get(question.name.toLowerCase()) : undefined
  const answers = typeof address === 'string' ? [{ type: 'A' as const, name: question.name, ttl: 5, data: address }] : []
  // 3: no such name.
  return { id: query.id ?? 0, type: 'response', flags: known.has(question.name.toLowerCase()) ? 0 : 3, questions: [question], answers }
}

// One socket per address: an answer has to come from where it was asked for.
for (const { address } of networkInterfaces()['eth0'] ?? []) {
  const datagrams = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  datagrams.on('error', () => undefined)
  datagrams.on('message', (message, from) => datagrams.send(encode(answer(decode(message))), from.port, from.address))
  datagrams.bind(53, address)
}
createTcpServer((client) => {
  client.on('error', () => undefined)
  client.on('data', (chunk) => client.write(streamEncode(answer(streamDecode(chunk)))))
}).listen(53)

const echo: RequestListener = (request, response) => {
  const [, bytes] = /^\/bytes\/(\d+)$/.exec(request.url ?? '') ?? []
  if (bytes !== undefined) return void response.end(Buffer.alloc(Number(bytes)))
  response.end(`${request.socket.localAddress} as ${request.headers.host} from ${request.socket.remoteAddress}`)
}
for (const port of [80, 8080, 5432]) createServer(echo).listen(port, '0.0.0.0')
createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) }, echo).listen(443, '0.0.0.0', () => console.log('up'))
