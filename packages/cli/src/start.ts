import { enableCompileCache } from 'node:module'
import path from 'node:path'
import process from 'node:process'

import { exitCodes } from './exit-codes.ts'
import { sourceDirectory } from './version.ts'

/** Runs this process's command line under one of the program's names, and sets the exit code. */
export async function start(name: 'torpor' | 'novita-sandbox-cli'): Promise<void> {
  // Within the clone: what is cached is run, so nobody else may write there.
  enableCompileCache(path.join(sourceDirectory, 'node_modules/.cache/torpor'))
  endWithReader(process.stdout)
  const { buildProgram, run } = await import('./program.ts')
  try {
    const exitCode = await run(buildProgram(name), process.argv)
    if (exitCode !== undefined) process.exitCode = exitCode
  } catch (error) {
    const { reportFailure } = await import('./failure.ts')
    process.exitCode = reportFailure(error, process.stderr)
  }
}

/** `torpor … | head`: whoever read has enough, which is no failure to speak of. */
function endWithReader(output: NodeJS.WriteStream): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.brokenPipe)
    throw error
  })
}
