import type { Volume } from '../ports/volume.ts'

/** A volume as the test wants it: at first one that shares nothing and is never full. */
export class FakeVolume implements Volume {
  shares = false
  free = Number.MAX_SAFE_INTEGER
  unbacked = 0
  trims = 0

  freeBytes(): number {
    return this.free
  }

  trim(): Promise<void> {
    this.trims += 1
    return Promise.resolve()
  }

  unbackedBytes(): number {
    return this.unbacked
  }
}
