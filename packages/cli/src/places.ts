import { readFileSync } from 'node:fs'
import path from 'node:path'

import { type Config, processEnvironment, searchPath } from '@torpor/server/config'
import type { SetupPlaces } from '@torpor/setup'

/** The root of the clone. */
export const sourceDirectory = path.resolve(import.meta.dirname, '../../..')

export const setupPlaces = (config: Config): SetupPlaces => ({
  artifactDirectory: config.artifactDirectory,
  dataDirectory: config.dataDirectory,
  sourceDirectory,
  searchPath: searchPath(processEnvironment()),
  localNames: /\.localhost(:\d+)?$/.test(config.domain),
})

/** The version of this clone. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(sourceDirectory, 'package.json'), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown'
}
