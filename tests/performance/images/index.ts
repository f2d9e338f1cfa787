import type { Figure } from '../figures.ts'
import { copies } from './copies.ts'
import { generations } from './generations.ts'
import { pressure } from './pressure.ts'
import { sleeping } from './sleeping.ts'
import { writeback } from './writeback.ts'

/** What images cost that share blocks with memory, beside images of copied bytes in the same run. */
export const imageFigures: Readonly<Record<string, () => Promise<Figure[]>>> = {
  'images-64': () => sleeping(64),
  'images-1024': () => sleeping(1024),
  'images-4096': () => sleeping(4096),
  'images-clones': copies,
  'images-generations': generations,
  'images-writeback': writeback,
  'images-pressure': pressure,
}
