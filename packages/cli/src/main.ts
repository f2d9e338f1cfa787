import process from 'node:process'

import { reportFailure } from './failure.ts'
import { buildProgram } from './program.ts'

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error, process.stderr)
}
