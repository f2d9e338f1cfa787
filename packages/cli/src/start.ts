import { enableCompileCache } from 'node:module'
import path from 'node:path'
import process from 'node:process'

import { sourceDirectory } from './version.ts'

/** Runs this process's command line under one of the program's names, and sets the exit code. */
export async function start(name: 'torpor' | 'novita-sandbox-cli'): Promise<void> {
  // Within the clone: what is cached is run, so nobody else may write there.
  enableCompileCache(path.join(sourceDirectory, 'node_modules/.cache/torpor'))
  const { buildProgram, run } = await import('./program.ts')
  try {
    const exitCode = await run(buildProgram(name), process.argv)
    if (exitCode !== undefined) process.exitCode = exitCode
  } catch (error) {
    const { reportFailure } = await import('./failure.ts')
    process.exitCode = reportFailure(error, process.stderr)
  }
}
