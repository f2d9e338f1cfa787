/** Columns as wide as their longest cell, two blanks between them. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** A heading and its rows, or a sentence where there are none. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  return rows.length === 0 ? `${none}\n` : `${columns([head, ...rows.map((row) => row.map(harmless))]).join('\n')}\n`
}

/** Names and values, one pair a line. */
export const pairs = (rows: readonly (readonly [string, string])[]): string =>
  `${columns(rows.map(([name, value]) => [name, harmless(value)])).join('\n')}\n`

// oxlint-disable-next-line no-control-regex -- these are what it is about
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g

/** What a sandbox or its owner wrote must not move the cursor or hide lines: control characters are shown, not obeyed. */
export const harmless = (text: string): string =>
  text.replaceAll(controls, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
