/** One line of a table: milliseconds unless the unit says otherwise. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly samples: readonly number[]
  /** What the target is a ratio of: measured in the same run. */
  readonly yardstick?: { readonly name: string; readonly samples: readonly number[] }
  readonly target?: string
}

/** The value below which `share` of the samples lie. */
function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

const round = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1))

/** A Markdown table, one row per figure. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, unit, samples, yardstick, target }) => {
    const p50 = percentile(samples, 0.5)
    const bare = yardstick && percentile(yardstick.samples, 0.5)
    const beside = yardstick && bare !== undefined ? `${yardstick.name}: ${round(bare)} | ${(p50 / bare).toFixed(2)}` : ' | '
    return `| ${name} | ${unit} | ${round(p50)} | ${round(percentile(samples, 0.95))} | ${samples.length} | ${beside} | ${target ?? ''} |`
  })
  return [
    '| figure | unit | p50 | p95 | n | yardstick, same run (p50) | ratio | target |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** `work` n times, one after the other; gives the milliseconds of each. */
export async function repeat(n: number, work: (round: number) => Promise<number>): Promise<number[]> {
  const samples: number[] = []
  for (let round = 0; round < n; round += 1) samples.push(await work(round))
  return samples
}
