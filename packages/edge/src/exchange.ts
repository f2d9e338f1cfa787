import { answerRefusal } from './answer-refusal.ts'
import type { Answer } from './answer.ts'
import type { ClientRequest } from './client-request.ts'
import { type Refusal, sandboxNotFound } from './refusals.ts'

/** One client's request while it is in progress, whatever becomes of it. */
export class Exchange {
  readonly request: ClientRequest
  readonly answer: Answer
  /** True as long as it waits for its sandbox to wake: a cut does not concern it then. */
  isWaiting = true
  #abortUpstream: () => void = () => undefined
  #isOver = false
  #hasUpgraded = false
  #isComplete = false

  constructor(request: ClientRequest, answer: Answer) {
    this.request = request
    this.answer = answer
    answer.body.once('close', () => this.#end())
    // A client that leaves in the middle is no failure; `close` follows.
    answer.body.on('error', () => undefined)
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
    if (!this.#hasUpgraded) this.answer.abort()
  }

  /** The whole answer of the sandbox is on its way: there is nothing to stop any more. */
  complete(): void {
    this.#isComplete = true
  }

  /** Answers in the edge's name; breaks the connection when part of an answer is out already, so that the client notices. */
  refuse(refusal: Refusal): void {
    if (this.#isOver) return
    if (this.answer.hasBegun() || this.#hasUpgraded) this.answer.abort()
    else answerRefusal(this.request, this.answer, refusal)
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
