/** Hears how a list of steps goes. Steps may overlap. */
export interface Reporter {
  started(name: string): void
  /** A fact worth a line of its own, such as the packages that are installed. */
  noted(text: string): void
  finished(name: string, milliseconds: number): void
  failed(name: string, milliseconds: number): void
  /** No more lines: what moves on the terminal is taken away. */
  close(): void
}

/** The part of a stream that reporters need. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** A moving line on a terminal, plain lines elsewhere. */
export const reporterFor = (output: Output): Reporter => (output.isTTY === true ? terminalReporter(output) : plainReporter(output))

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`

/** One line per happening, for logs and pipes. */
export function plainReporter(output: Output): Reporter {
  return {
    started: (name) => void output.write(`${name}: started\n`),
    noted: (text) => void output.write(`${text}\n`),
    finished: (name, milliseconds) => void output.write(`${name}: done in ${seconds(milliseconds)}\n`),
    failed: (name, milliseconds) => void output.write(`${name}: failed after ${seconds(milliseconds)}\n`),
    close: () => undefined,
  }
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const frameMilliseconds = 100

/** Finished steps as lines that stay, and below them one line that moves with the steps in progress. */
export function terminalReporter(output: Output): Reporter {
  const running = new Map<string, number>()
  let frame = 0
  let timer: NodeJS.Timeout | undefined

  const clear = (): void => void output.write('\r\u001b[K')
  const draw = (): void => {
    const steps = [...running].map(([name, since]) => `${name} ${Math.floor((Date.now() - since) / 1000)} s`)
    frame = (frame + 1) % frames.length
    if (steps.length > 0) output.write(`\r\u001b[K${`${frames[frame] ?? ''} ${steps.join(' · ')}`.slice(0, (output.columns || 80) - 1)}`)
  }
  const line = (text: string): void => {
    clear()
    output.write(`${text}\n`)
    draw()
  }
  const end = (name: string, text: string): void => {
    running.delete(name)
    line(text)
    if (running.size === 0) stop()
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  return {
    started: (name) => {
      running.set(name, Date.now())
      timer ??= setInterval(draw, frameMilliseconds).unref()
      draw()
    },
    noted: (text) => line(`  ${text}`),
    finished: (name, milliseconds) => end(name, `\u001b[32m✔\u001b[0m ${name} \u001b[2m${seconds(milliseconds)}\u001b[0m`),
    failed: (name, milliseconds) => end(name, `\u001b[31m✘\u001b[0m ${name} \u001b[2m${seconds(milliseconds)}\u001b[0m`),
    close: () => {
      stop()
      if (running.size > 0) clear()
      running.clear()
    },
  }
}
