import type { Dispatcher } from 'undici'

import { codeOf } from './dial.ts'
import type { Exchange } from './exchange.ts'
import { answerHeaders } from './headers.ts'
import { brokenAnswer, portClosed } from './refusals.ts'

interface RelayOptions {
  readonly sandboxId: string
  readonly port: number
  /** Sends the same request again with a new relay; only for one without a body. */
  readonly retry: ((relay: Relay) => void) | undefined
}

/** Gives a sandbox's answer to the client as it comes: every chunk at once, and no faster than the client takes it. */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange
  readonly #options: RelayOptions
  #hasWritten = false

  constructor(exchange: Exchange, options: RelayOptions) {
    this.#exchange = exchange
    this.#options = options
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#exchange.onOver(() => {
      if (!controller.aborted) controller.abort(new ClientGone())
    })
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, message = ''): void {
    const { answer } = this.#exchange
    if (status < 200 || this.#exchange.isOver) return
    answer.begin(status, message, answerHeaders(texts(controller.rawHeaders)))
    // After what came in the same packet: a short answer goes out in one write, a stream's headers do not wait for its first chunk.
    queueMicrotask(() => {
      if (!this.#hasWritten) answer.flush()
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { body } = this.#exchange.answer
    this.#hasWritten = true
    if (body.write(chunk)) return
    controller.pause()
    body.once('drain', () => controller.resume())
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#hasWritten = true
    this.#exchange.complete()
    this.#exchange.answer.end(pairs(texts(controller.rawTrailers)))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#exchange.isOver) return
    const { sandboxId, port, retry } = this.#options
    const isFresh = !this.#exchange.answer.hasBegun()
    if (isFresh && retry && isStale(error) && isSafe(this.#exchange.request.method)) {
      return retry(new Relay(this.#exchange, { ...this.#options, retry: undefined }))
    }
    this.#exchange.refuse(isUnreachable(error) ? portClosed(sandboxId, port) : brokenAnswer(sandboxId, port))
  }
}

class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

const unreachableCodes = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'])

const isUnreachable = (error: Error): boolean => unreachableCodes.has(codeOf(error))

/** A kept-alive connection that the sandbox closed at the moment of its next use. */
const isStale = (error: Error): boolean => ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(error))

const isSafe = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** Header bytes as node:http wants them: one character per byte. */
function texts(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  return Array.isArray(raw) ? raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))) : []
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : []))
}
