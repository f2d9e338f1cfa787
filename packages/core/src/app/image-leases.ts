/** Images that somebody reads just now: none of them is removed before. */
export class ImageLeases {
  readonly #readers = new Map<string, number>()

  isHeld(name: string): boolean {
    return this.#readers.has(name)
  }

  take(name: string): void {
    this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1)
  }

  giveBack(name: string): void {
    const left = (this.#readers.get(name) ?? 1) - 1
    if (left > 0) this.#readers.set(name, left)
    else this.#readers.delete(name)
  }
}
