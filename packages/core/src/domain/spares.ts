/** A template build as the warm pool sees it; times in milliseconds since the epoch. */
export interface Demand {
  readonly buildId: string
  /** When a spare of it was last asked for; its making counts. */
  readonly lastAskedAt: number
  /** How often that was within the last minute. */
  readonly asked: number
  /** What a spare of it holds. */
  readonly bytesPerSpare: number
}

export interface PoolSize {
  /** Spares of a build that is in use. */
  readonly size: number
  /** What all spares may hold together. */
  readonly bytes: number
}

const hour = 3_600_000

/**
 * How many spares each build should have: `size` while it is in use and as many again as were asked for in the last minute, up to
 * four times as many; one after an hour without use, none after a day. The most recently used come first when memory ends.
 */
export function wantedSpares(demands: readonly Demand[], now: number, { size, bytes }: PoolSize): Map<string, number> {
  let left = bytes
  const wanted = new Map<string, number>()
  for (const { buildId, lastAskedAt, asked, bytesPerSpare } of demands.toSorted((a, b) => b.lastAskedAt - a.lastAskedAt)) {
    const idle = now - lastAskedAt
    const wish = idle > 24 * hour ? 0 : idle > hour ? Math.min(1, size) : Math.min(size + asked, 4 * size)
    const given = Math.min(wish, Math.floor(left / bytesPerSpare))
    left -= given * bytesPerSpare
    wanted.set(buildId, given)
  }
  return wanted
}
