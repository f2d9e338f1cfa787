/** Where the reading of each execution's journal has come to; a restarted server reads anew, and what is there is passed over. */
export class JournalCursors {
  readonly #after = new Map<string, number>()

  of(execution: string): number {
    return this.#after.get(execution) ?? 0
  }

  move(execution: string, after: number): void {
    this.#after.set(execution, after)
  }

  forget(execution: string): void {
    this.#after.delete(execution)
  }
}
