import type { Layer } from './template.ts'

const day = 24 * 3_600_000
const longestUnused = 14 * day
/** A build that has found it may be about to read it. */
const graceMilliseconds = 60_000

/**
 * Of layers that nothing rests on, those to be removed: what was not used for two weeks or cannot be found by a key any more, then
 * the ones used longest ago, until the rest is within `mostBytes`.
 */
export function outlivedLayers(layers: readonly Layer[], now: number, mostBytes: number): Layer[] {
  let left = mostBytes
  return layers
    .filter(({ usedAt }) => now - usedAt > graceMilliseconds)
    .toSorted((a, b) => b.usedAt - a.usedAt)
    .filter(({ bytes, key, usedAt }) => {
      if (key === null || now - usedAt > longestUnused || bytes > left) return true
      left -= bytes
      return false
    })
}
