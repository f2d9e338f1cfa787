import type { BuildLogEntry, LogLevel } from '../../domain/template.ts'
import type { TemplateStore } from '../../ports/template-store.ts'

const mostEntries = 20_000
const mostCharacters = 4000
const pendingEntries = 256
const lastLines = 3
const lastCharacters = 500

/** What a build writes for its owner; kept in batches, since every change of the records waits for the disk. */
export class BuildLog {
  readonly #store: Pick<TemplateStore, 'appendLog'>
  readonly #buildId: string
  readonly #now: () => number
  #pending: BuildLogEntry[] = []
  #written = 0
  #step = 'base'
  #lastLines: string[] = []

  constructor(store: Pick<TemplateStore, 'appendLog'>, buildId: string, now: () => number) {
    this.#store = store
    this.#buildId = buildId
    this.#now = now
  }

  get step(): string {
    return this.#step
  }

  /** The last lines of the step's output, for the reason of a failure; empty when it said nothing. */
  get lastWords(): string {
    return this.#lastLines.join('; ')
  }

  /** What follows belongs to this step. */
  begin(step: string): void {
    this.#step = step
    this.#lastLines = []
  }

  write(level: LogLevel, message: string): void {
    this.#pending.push({ at: this.#now(), level, message: message.slice(0, mostCharacters), step: this.#step })
    this.#written += 1
    if (this.#pending.length >= pendingEntries) this.flush()
  }

  /** A line of what runs inside; from a certain number on, only the steps are told of. */
  output(line: string): void {
    this.#lastLines = [...this.#lastLines, line.slice(0, lastCharacters)].slice(-lastLines)
    if (this.#written === mostEntries) this.write('warn', `More than ${mostEntries} lines: the rest of the output is not kept`)
    if (this.#written < mostEntries) this.write('info', line)
  }

  /** Everything so far is in the records when this returns. */
  flush(): void {
    const entries = this.#pending
    this.#pending = []
    if (entries.length > 0) this.#store.appendLog(this.#buildId, entries)
  }
}

/** Makes lines of pieces of output, one stream's at a time; a progress bar's returns end a line too. */
export function lineSplitter(onLine: (line: string) => void): { push(text: string): void; end(): void } {
  let rest = ''
  const tell = (line: string): void => {
    if (line !== '') onLine(line)
  }
  return {
    push: (text) => {
      const lines = (rest + text).split(/\r\n|\n|\r/)
      rest = lines.pop() ?? ''
      lines.forEach(tell)
      if (rest.length > mostCharacters) {
        tell(rest)
        rest = ''
      }
    },
    end: () => {
      tell(rest)
      rest = ''
    },
  }
}
