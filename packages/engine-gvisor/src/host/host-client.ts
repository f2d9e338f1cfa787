import { TorporError } from '@torpor/contract'
import { Agent, request } from 'undici'

import { type HostEvent, type HostMethod, type HostMethods, answerSchemas, hostEvent, hostFailure, kindOfFailure } from './protocol.ts'

const origin = 'http://torpor-engine'

/** The host says something every 15 s. */
const silenceMilliseconds = 40_000

/** Speaks engine/PROTOCOL.md over the unix socket of one host process. */
export class HostClient implements AsyncDisposable {
  readonly #dispatcher: Agent
  /** Whether the host lives must not wait behind methods that take long. */
  readonly #urgent: Agent

  constructor(socket: string) {
    // Each call has a time limit of its own.
    const options = { connect: { socketPath: socket }, headersTimeout: 0, bodyTimeout: 0, pipelining: 1 }
    this.#dispatcher = new Agent({ ...options, connections: 1024 })
    this.#urgent = new Agent({ ...options, connections: 4 })
  }

  /**
   * @param milliseconds the deadline of the call.
   * @param abort gives the call up before.
   * @throws TorporError of the host's kind, or `unavailable` when no host answers in time.
   */
  async call<M extends HostMethod>(
    method: M,
    body: HostMethods[M]['body'],
    milliseconds: number,
    abort?: AbortSignal,
  ): Promise<HostMethods[M]['answer']> {
    const deadline = AbortSignal.timeout(milliseconds)
    const { status, text } = await this.#post(method, JSON.stringify(body), abort ? AbortSignal.any([deadline, abort]) : deadline)
    if (status !== 200) throw failure(method, status, text)
    return answerSchemas[method].parse(JSON.parse(text))
  }

  async #post(method: HostMethod, body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    try {
      const response = await request(`${origin}/v1/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal,
        dispatcher: method === 'version' ? this.#urgent : this.#dispatcher,
      })
      return { status: response.statusCode, text: await response.body.text() }
    } catch (error) {
      throw new TorporError('unavailable', 'The sandbox engine does not answer. Try again in a moment', {
        context: { method },
        cause: error,
      })
    }
  }

  /** Every event until the host ends, falls silent for longer than it says something at least, or `signal` aborts. */
  async *events(signal: AbortSignal): AsyncGenerator<HostEvent> {
    const limits = { headersTimeout: silenceMilliseconds, bodyTimeout: silenceMilliseconds }
    const { body } = await request(`${origin}/v1/events`, { dispatcher: this.#urgent, signal, ...limits })
    for await (const line of linesOf(body)) yield hostEvent.parse(JSON.parse(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#dispatcher.destroy(), this.#urgent.destroy()])
  }
}

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
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
