import process from 'node:process'

/** One JSON value on standard output, or the text for people. */
export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(value, null, 2)}\n` : text())
}

/** One line of a stream of JSON values. */
export const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`
