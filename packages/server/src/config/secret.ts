import { inspect } from 'node:util'

/** A text that shows itself to nobody who does not ask for it by `reveal`: not to logs, JSON or string templates. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text itself: for a header, a 0600 file or a pipe, never for an argument vector or a log. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
