/** What a sandbox used at one moment. */
export interface Sample {
  readonly sandboxId: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly cpuCount: number
  /** Of one processor: two busy ones are 200. */
  readonly cpuUsedPercent: number
  readonly memoryUsedBytes: number
  readonly memoryTotalBytes: number
  readonly diskUsedBytes: number
  readonly diskTotalBytes: number
}

export interface SampleRange {
  /** Milliseconds since the epoch, inclusive. */
  readonly from: number
  readonly to: number
}

/** Samples of the last day. Losing some of them at a crash is no harm: they never make a record wait. */
export interface Metrics {
  append(samples: readonly Sample[]): void
  /** Oldest first; at most `limit`, evenly chosen over the range when there are more. */
  samples(sandboxId: string, range: SampleRange, limit: number): Sample[]
  /** The last sample of each that has one. */
  last(sandboxIds: readonly string[]): Sample[]
  /** Forgets what is older. */
  prune(before: number): void
  close(): void
}
