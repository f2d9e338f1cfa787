import type { IncomingMessage, ServerResponse } from 'node:http'

import { answerRefusal } from './answer-refusal.ts'
import { type Refusal, sandboxNotFound } from './refusals.ts'

/** One client's request while it is in progress, whatever becomes of it. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** True as long as it waits for its sandbox to wake: a cut does not concern it then. */
  isWaiting = true
  #abortUpstream: () => void = () => undefined
  #isOver = false
  #hasUpgraded = false
  #isComplete = false

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request
    this.response = response
    response.once('close', () => this.#end())
    // A client that leaves in the middle is no failure; `close` follows.
    response.on('error', () => undefined)
  }

  /** Answered, or left by the client: nothing can be sent any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Says how to stop the sandbox's side when the client leaves or the sandbox is cut. */
  onOver(abortUpstream: () => void): void {
    this.#abortUpstream = abortUpstream
    if (this.#isOver) abortUpstream()
  }

  /** From now on the client's side is a bare connection, to be destroyed with the exchange. */
  upgraded(): void {
    this.#hasUpgraded = true
  }

  /** The client closed its side of a connection that nobody reads yet. */
  leftUnanswered(): void {
    if (!this.#hasUpgraded) this.response.socket?.destroy()
  }

  /** The whole answer of the sandbox is on its way: there is nothing to stop any more. */
  complete(): void {
    this.#isComplete = true
  }

  /** Answers in the edge's name; breaks the connection when part of an answer is out already, so that the client notices. */
  refuse(refusal: Refusal): void {
    if (this.#isOver) return
    if (this.response.headersSent || this.#hasUpgraded) this.response.socket?.destroy()
    else answerRefusal(this.request, this.response, refusal)
    this.#end()
  }

  /** The sandbox is gone from under it. */
  cut(sandboxId: string): void {
    this.refuse(sandboxNotFound(sandboxId))
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#isComplete) this.#abortUpstream()
  }
}
