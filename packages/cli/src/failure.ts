import { TorporError } from '@torpor/contract'
import { codeOf } from '@torpor/file-system'
import { ConfigError } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'

import { exitCodes } from './exit-codes.ts'
import { Interrupted } from './interrupted.ts'
import { RemoteProblem, refusal } from './remote/problem.ts'

/** Says in as few lines as possible what went wrong and what mends it. @returns the exit code. */
export function reportFailure(error: unknown, output: { write(text: string): unknown }): number {
  if (error instanceof Interrupted) return exitCodes.interrupted
  if (error instanceof ConfigError) {
    for (const fault of error.faults) output.write(`torpor: ${fault}\n`)
    return exitCodes.usage
  }
  const problem = toProblem(error)
  output.write(`torpor: ${problem.message}\n`)
  if (problem.tail !== undefined) output.write(problem.tail.replaceAll(/^/gm, '  | ') + '\n')
  if (problem.mend !== undefined) output.write(`  mend: ${problem.mend}\n`)
  if (problem.logFile !== undefined) output.write(`  log: ${problem.logFile}\n`)
  return problem instanceof RemoteProblem ? problem.exitCode : exitCodes.failed
}

function toProblem(error: unknown): SetupProblem {
  if (error instanceof SetupProblem) return error
  if (error instanceof TorporError) return refusal(error.status, error.message)
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM') {
    return new SetupProblem(`this needs root: ${messageOf(error)}`, { mend: 'run it with sudo', cause: error })
  }
  if (code === 'ENOSPC')
    return new SetupProblem('the disk is full', { mend: 'free some space: `torpor status` tells what Torpor holds', cause: error })
  return new SetupProblem(chainOf(error), { cause: error })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The error and what caused it: at the terminal sits the operator, who may see everything. */
function chainOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${chainOf(cause)}`
}
