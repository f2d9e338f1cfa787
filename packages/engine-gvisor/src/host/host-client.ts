import { createInterface } from 'node:readline'

import { TorporError } from '@torpor/contract'
import { Agent, request } from 'undici'

import { type HostEvent, type HostMethod, type HostMethods, answerSchemas, hostEvent, hostFailure, kindOfFailure } from './protocol.ts'

const origin = 'http://torpor-engine'

/** Speaks engine/PROTOCOL.md over the unix socket of one host process. */
export class HostClient implements AsyncDisposable {
  readonly #dispatcher: Agent

  constructor(socket: string) {
    // A capture of a large sandbox takes as long as its disk: no time limit on answers.
    this.#dispatcher = new Agent({ connect: { socketPath: socket }, headersTimeout: 0, bodyTimeout: 0, connections: 128, pipelining: 1 })
  }

  /** @throws TorporError of the host's kind, or `unavailable` when no host answers. */
  async call<M extends HostMethod>(method: M, body: HostMethods[M]['body']): Promise<HostMethods[M]['answer']> {
    const { status, text } = await this.#post(method, JSON.stringify(body))
    if (status !== 200) throw failure(method, status, text)
    return answerSchemas[method].parse(JSON.parse(text))
  }

  async #post(method: HostMethod, body: string): Promise<{ status: number; text: string }> {
    try {
      const response = await request(`${origin}/v1/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        dispatcher: this.#dispatcher,
      })
      return { status: response.statusCode, text: await response.body.text() }
    } catch (error) {
      throw new TorporError('unavailable', 'The sandbox engine does not answer. Try again in a moment', {
        context: { method },
        cause: error,
      })
    }
  }

  /** Every event until the host ends or `signal` aborts. */
  async *events(signal: AbortSignal): AsyncGenerator<HostEvent> {
    const response = await request(`${origin}/v1/events`, { dispatcher: this.#dispatcher, signal })
    for await (const line of createInterface({ input: response.body })) {
      yield hostEvent.parse(JSON.parse(line))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy()
  }
}

function failure(method: HostMethod, status: number, text: string): TorporError {
  const parsed = hostFailure.safeParse(parseJson(text))
  if (!parsed.success)
    return new TorporError('internal', 'The sandbox engine answered what nobody understands', { context: { method, status, text } })
  const { kind, message, detail } = parsed.data
  return new TorporError(kindOfFailure[kind] ?? 'internal', userMessage(kind), { context: { method, kind, message, detail } })
}

/** The host's own words may name paths of this machine: they go to the log, users get these. */
function userMessage(kind: string): string {
  switch (kind) {
    case 'not_found':
      return 'The process of the sandbox does not exist any more'
    case 'conflict':
      return 'The process of the sandbox is in another state. Try again'
    case 'no_space':
      return "The server's disk is full: the sandbox's memory could not be saved. It goes on running; ask the operator for room"
    case 'timed_out':
      return 'The process of the sandbox does not answer. Kill the sandbox if this goes on'
    case 'damaged':
      return 'The saved state of the sandbox is damaged, and nothing was started from it. The operator finds the cause in the log'
    default:
      return 'The sandbox engine could not do it. The operator finds the cause in the log'
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
