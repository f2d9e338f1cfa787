import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { type Server, connect, createServer } from 'node:net'

import { runCommand } from '../run-command.ts'
import { resolverPort } from './firewall.ts'
import { answerOwnName } from './own-names.ts'
import { resolverAddressInside } from './plan.ts'

const answerMilliseconds = 4000
const maxQuestions = 1024

/**
 * Answers the sandboxes' name look-ups: those of the platform's own names itself, all others by passing them to the machine's
 * resolvers. It works where those listen on
 * the machine's loopback only, which sandboxes cannot reach.
 */
export class Resolver {
  readonly #address: string
  readonly #ownDomain: string | undefined
  #datagrams: Socket | undefined
  #streams: Server | undefined
  #open = 0

  /** @param ownDomain names below it lead to this machine; undefined: there are none. */
  constructor(address: string, ownDomain?: string) {
    this.#address = address
    this.#ownDomain = ownDomain
  }

  async start(): Promise<void> {
    await runCommand('ip', ['addr', 'replace', `${this.#address}/32`, 'dev', 'lo'])
    this.#datagrams = await listenDatagrams(this.#address, (message, from) => void this.#forward(message, from))
    this.#streams = await listenStreams(this.#address)
  }

  /** Stops answering; the address goes with it. */
  async close(): Promise<void> {
    this.#datagrams?.close()
    this.#streams?.close()
    await runCommand('ip', ['addr', 'del', `${this.#address}/32`, 'dev', 'lo']).catch(() => undefined)
  }

  /** One question; those over the limit are dropped, as DNS expects, all others are answered. */
  async #forward(message: Buffer, from: RemoteInfo): Promise<void> {
    if (this.#open >= maxQuestions) return
    this.#open += 1
    try {
      const answer = this.#answerOwn(message) ?? (await askInTurn(message)) ?? failure(message)
      if (answer) this.#datagrams?.send(answer, from.port, from.address)
    } finally {
      this.#open -= 1
    }
  }

  #answerOwn(message: Buffer): Buffer | undefined {
    return this.#ownDomain === undefined ? undefined : answerOwnName(message, this.#ownDomain, resolverAddressInside)
  }
}

async function askInTurn(message: Buffer): Promise<Buffer | undefined> {
  for (const upstream of await upstreams()) {
    const answer = await ask(upstream, message)
    if (answer) return answer
  }
  return undefined
}

/** SERVFAIL for a question that nobody answered: programs give up at once instead of asking again (RFC 1035, 4.1.1). */
export function failure(question: Buffer): Buffer | undefined {
  if (question.length < 12) return undefined
  const answer = Buffer.from(question)
  answer.writeUInt8((question.readUInt8(2) & 0x79) | 0x80, 2)
  answer.writeUInt8(0x82, 3)
  return answer
}

/** The machine's resolvers, read anew each time: they change when it moves between networks. */
export async function upstreams(file = '/etc/resolv.conf'): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '').slice(0, 3)
}

function ask(upstream: string, message: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(upstream.includes(':') ? 'udp6' : 'udp4')
    const done = (answer?: Buffer): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => undefined)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(() => done(), answerMilliseconds)
    socket.on('error', () => done())
    socket.on('message', (answer) => done(answer))
    socket.send(message, 53, upstream)
  })
}

function listenDatagrams(address: string, onMessage: (message: Buffer, from: RemoteInfo) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.on('message', onMessage)
    socket.bind(resolverPort, address, () => {
      socket.removeListener('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

/** Long answers come over TCP: spliced through to the first resolver. */
function listenStreams(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((client) => {
      client.setTimeout(answerMilliseconds * 2, () => client.destroy())
      client.on('error', () => undefined)
      void upstreams().then(([upstream]) => {
        if (upstream === undefined) return client.destroy()
        const socket = connect(53, upstream)
        socket.on('error', () => client.destroy())
        client.on('close', () => socket.destroy())
        client.pipe(socket).pipe(client)
        return undefined
      })
    })
    server.maxConnections = 256
    server.once('error', reject)
    server.listen(resolverPort, address, () => resolve(server))
  })
}
