import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import { type Server, type Socket as Connection, createServer } from 'node:net'

import { type EgressRules, allowsName, isClosed } from '@torpor/core'

import { runCommand } from '../run-command.ts'
import { addressesIn, answerWithCode, bareQuestion, readQuestion, responseCodes } from './dns-message.ts'
import { doors } from './firewall.ts'
import { answerOwnName } from './own-names.ts'
import { resolverAddressInside } from './plan.ts'
import { type Ask, Frames, type Upstreams, askByDatagram, askByStream, askInTurn, frame } from './upstream.ts'

const idleMilliseconds = 8000
const maxQuestions = 1024
const maxConnections = 256

export interface ResolverOptions {
  /** Where it listens, on the machine's loopback device. */
  readonly address: string
  /** Names below it lead to this machine; undefined: there are none. */
  readonly ownDomain: string | undefined
  readonly upstreams: Upstreams
  /** The rules of the sandbox with this address; undefined when it has none. */
  readonly rulesOf: (address: string) => EgressRules | undefined
  /** A name that a sandbox may reach leads to these addresses: before it hears of them, its packets have to be let through. */
  readonly admit: (sandbox: string, addresses: readonly string[], seconds: number) => Promise<void>
}

/**
 * Answers the sandboxes' name look-ups: those of the platform's own names itself, all others by passing them to the machine's
 * resolvers, also where those listen on the machine's loopback only, which sandboxes cannot reach. To a sandbox that may reach
 * nothing but some names, there are no others: look-ups would carry out what it must not send.
 */
export class Resolver {
  readonly #options: ResolverOptions
  #datagrams: Socket | undefined
  #streams: Server | undefined
  #open = 0

  constructor(options: ResolverOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { address } = this.#options
    await runCommand('ip', ['addr', 'replace', `${address}/32`, 'dev', 'lo'])
    this.#datagrams = await listenDatagrams(address, (message, from) => void this.#byDatagram(message, from))
    this.#streams = await listenStreams(address, (client) => this.#byStream(client))
  }

  /** Stops answering; the address goes with it. */
  async close(): Promise<void> {
    this.#datagrams?.close()
    this.#streams?.close()
    await runCommand('ip', ['addr', 'del', `${this.#options.address}/32`, 'dev', 'lo']).catch(() => undefined)
  }

  async #byDatagram(message: Buffer, from: RemoteInfo): Promise<void> {
    const answer = await this.#bounded(message, from.address, askByDatagram)
    if (answer) this.#datagrams?.send(answer, from.port, from.address)
  }

  #byStream(client: Connection): void {
    const frames = new Frames()
    const sandbox = client.remoteAddress ?? ''
    client.setTimeout(idleMilliseconds, () => client.destroy())
    client.on('error', () => undefined)
    client.on('data', (chunk) => {
      for (const message of frames.add(chunk)) {
        void this.#bounded(message, sandbox, askByStream).then((answer) => answer && client.writable && client.write(frame(answer)))
      }
    })
  }

  /** Questions over the limit are dropped, as DNS expects, all others are answered. */
  async #bounded(message: Buffer, sandbox: string, ask: Ask): Promise<Buffer | undefined> {
    if (this.#open >= maxQuestions) return undefined
    this.#open += 1
    try {
      return await this.#answer(message, sandbox, ask)
    } finally {
      this.#open -= 1
    }
  }

  async #answer(message: Buffer, sandbox: string, ask: Ask): Promise<Buffer | undefined> {
    const { ownDomain, upstreams, rulesOf } = this.#options
    const rules = rulesOf(sandbox)
    if (rules && isClosed(rules)) return this.#answerAllowed(message, sandbox, rules, ask)
    const own = ownDomain === undefined ? undefined : answerOwnName(message, ownDomain, resolverAddressInside)
    return own ?? (await askInTurn(upstreams, message, ask)) ?? answerWithCode(message, responseCodes.serverFailure)
  }

  async #answerAllowed(message: Buffer, sandbox: string, rules: EgressRules, ask: Ask): Promise<Buffer | undefined> {
    const { ownDomain, upstreams, admit } = this.#options
    const question = readQuestion(message)
    if (!question || !allowsName(rules, question.name)) return answerWithCode(message, responseCodes.noSuchName)
    const own = ownDomain === undefined ? undefined : answerOwnName(message, ownDomain, resolverAddressInside)
    if (own) return own
    const answer = await askInTurn(upstreams, bareQuestion(message, question), ask)
    if (!answer) return answerWithCode(message, responseCodes.serverFailure)
    const { addresses, seconds } = addressesIn(answer)
    if (addresses.length > 0) await admit(sandbox, addresses, seconds)
    return answer
  }
}

function listenDatagrams(address: string, onMessage: (message: Buffer, from: RemoteInfo) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.on('message', onMessage)
    socket.bind(doors.resolver, address, () => {
      socket.removeListener('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

function listenStreams(address: string, onConnection: (client: Connection) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onConnection)
    server.maxConnections = maxConnections
    server.once('error', reject)
    server.listen(doors.resolver, address, () => resolve(server))
  })
}
