/** In the worker: the main thread, which evaluates, and can be stopped while it does. */
import { Session } from 'node:inspector/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'

const busyMilliseconds = 200

const interrupted = { error: { ename: 'Interrupted', evalue: 'The execution was interrupted', traceback: [] } }

export class MainThread {
  #inspector = new Session()
  /** What waits for an answer, by the number of its question. */
  #questions = new Map()
  #asked = 0
  #stop

  /** `onOutput` is given `{ stream, text }` and `{ display }`, in the order in which they came before an answer. */
  constructor(onOutput) {
    this.#inspector.connectToMainThread()
    parentPort.on('message', (message) => {
      const number = message.id ?? message.pong
      if (number === undefined) return onOutput(message)
      this.#questions.get(number)?.(message.evaluated)
      this.#questions.delete(number)
    })
  }

  /** `{ data }` by mime type, or `{ error }` in Jupyter's words. */
  async evaluate(code) {
    const stopped = Promise.withResolvers()
    this.#stop = () => stopped.resolve(interrupted)
    try {
      return await Promise.race([this.#ask((id) => ({ evaluate: code, id })), stopped.promise])
    } finally {
      this.#stop = undefined
    }
  }

  /** Code that computes is terminated; code that waits is left waiting, and forgotten. */
  async interrupt() {
    const stop = this.#stop
    if (!stop) return
    const waits = await Promise.race([this.#ask((ping) => ({ ping })).then(() => true), delay(busyMilliseconds, false)])
    if (!waits) await this.#inspector.post('Runtime.terminateExecution')
    stop()
  }

  #ask(question) {
    const { promise, resolve } = Promise.withResolvers()
    this.#asked += 1
    this.#questions.set(this.#asked, resolve)
    parentPort.postMessage(question(this.#asked))
    return promise
  }
}
