import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'

const answerMilliseconds = 4000

/** Where questions are passed on to: `address`, `address:port` or `[address]:port`. */
export type Upstreams = () => Promise<readonly string[]>

/** Asks one server once; undefined when it does not answer. */
export type Ask = (upstream: string, message: Buffer) => Promise<Buffer | undefined>

/** The machine's resolvers, read anew each time: they change when it moves between networks. */
export async function machineResolvers(file = '/etc/resolv.conf'): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '').slice(0, 3)
}

/** The first answer of several servers, asked one after the other. */
export async function askInTurn(upstreams: Upstreams, message: Buffer, ask: Ask): Promise<Buffer | undefined> {
  for (const upstream of await upstreams()) {
    const answer = await ask(upstream, message)
    if (answer) return answer
  }
  return undefined
}

export const askByDatagram: Ask = (upstream, message) =>
  new Promise((resolve) => {
    const { host, port } = splitPort(upstream)
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    const done = (answer?: Buffer): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => undefined)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(() => done(), answerMilliseconds)
    socket.on('error', () => done())
    socket.on('message', (answer) => {
      if (answer.length > 2 && answer.readUInt16BE(0) === message.readUInt16BE(0)) done(answer)
    })
    // Connected, so that the kernel keeps what others send to this port.
    socket.connect(port, host, () => socket.send(message))
  })

/** For long answers. */
export const askByStream: Ask = (upstream, message) =>
  new Promise((resolve) => {
    const socket = connect({ ...splitPort(upstream), timeout: answerMilliseconds })
    const frames = new Frames()
    socket.on('data', (chunk) => {
      const [answer] = frames.add(chunk)
      if (answer) socket.destroy()
      if (answer) resolve(answer)
    })
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(undefined))
    socket.write(frame(message))
  })

/** A message as it goes over a stream: behind its length (RFC 1035, 4.2.2). */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** Puts messages together from the pieces of a stream. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0)

  /** The messages that are whole with this piece. */
  add(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const whole: Buffer[] = []
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt16BE(0)) {
      const end = 2 + this.#rest.readUInt16BE(0)
      whole.push(this.#rest.subarray(2, end))
      this.#rest = this.#rest.subarray(end)
    }
    return whole
  }
}

function splitPort(upstream: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(upstream) ?? []
  return { host: bracketed ?? plain ?? upstream, port: Number(port ?? 53) }
}
