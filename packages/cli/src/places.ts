import { type Config, processEnvironment, searchPath } from '@torpor/server/config'
import type { SetupPlaces } from '@torpor/setup'

import { sourceDirectory } from './version.ts'

export const setupPlaces = (config: Config): SetupPlaces => ({
  artifactDirectory: config.artifactDirectory,
  dataDirectory: config.dataDirectory,
  sourceDirectory,
  searchPath: searchPath(processEnvironment()),
  localNames: /\.localhost(:\d+)?$/.test(config.domain),
})
