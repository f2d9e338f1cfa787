import process from 'node:process'

import { type Config, processEnvironment, searchPath } from '@torpor/server/config'
import type { SetupPlaces } from '@torpor/setup'
import { usesFile } from '@torpor/volume'

import { sourceDirectory } from './version.ts'

/** Others are refused before anything is set up. */
const isRoot = (): boolean => process.geteuid?.() === 0

export const setupPlaces = async (config: Config): Promise<SetupPlaces> => ({
  artifactDirectory: config.artifactDirectory,
  dataDirectory: config.dataDirectory,
  sourceDirectory,
  searchPath: searchPath(processEnvironment()),
  volume: isRoot() && (await usesFile({ dataDirectory: config.dataDirectory, size: config.volumeSize })),
  localNames: /\.localhost(:\d+)?$/.test(config.domain),
})
