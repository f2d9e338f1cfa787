import process from 'node:process'

import { type Config, processEnvironment, searchPath } from '@torpor/server/config'
import { type VolumeFindings, examineVolume } from '@torpor/volume'

/** A look at the volume of the configured data directory; undefined for anybody but root, who alone may look into it. */
export async function volumeOf({ dataDirectory, volumeSize }: Config): Promise<VolumeFindings | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  return examineVolume({ dataDirectory, size: volumeSize, searchPath: searchPath(processEnvironment()) })
}

const gibibytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`

/** What the volume is, how large, and how it works, as one line. */
export function describeVolume(volume: VolumeFindings): string {
  const { totalBytes, usedBytes, freeBytes, shares, directIo, readAhead } = volume
  const parts = [kindOf(volume), `${gibibytes(usedBytes)} used of ${gibibytes(totalBytes)}, ${gibibytes(freeBytes)} free`]
  parts.push(shares ? 'files share blocks' : 'bytes are copied')
  if (directIo !== undefined) parts.push(directIo ? 'direct I/O' : 'no direct I/O')
  if (readAhead) parts.push(`read-ahead ${readAhead.kibibytes} KiB`)
  return parts.join('; ')
}

function kindOf({ kind, state, obstacle }: VolumeFindings): string {
  if (kind === 'data directory') return "the data directory's own file system"
  if (kind === 'none') return `none (${obstacle?.why}), the data directory serves`
  const states = { mounted: 'mounted', 'not mounted': 'not mounted', 'not made': 'made at the next start' }
  return `a file with XFS in it, ${states[state]}`
}
