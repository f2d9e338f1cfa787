import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'

const digits = 20
const length = digits + 1

/**
 * The file that tells running sandboxes how many bytes of the volume have to stay free (engine/PROTOCOL.md). They read it while it is
 * written: it always has the same length, and is written at once.
 */
export class Floor {
  readonly file: string
  readonly #descriptor: number
  #bytes = -1

  /** What an earlier server has written stays until it is set. */
  constructor(file: string) {
    this.file = file
    this.#descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
    if (fstatSync(this.#descriptor).size !== length) this.set(0)
  }

  set(bytes: number): void {
    if (bytes === this.#bytes) return
    writeSync(this.#descriptor, `${String(Math.ceil(bytes)).padStart(digits, '0')}\n`, 0)
    this.#bytes = bytes
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
