import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

import { SetupProblem } from '@torpor/setup'

import { runNode } from '../processes.ts'
import { sourceDirectory } from '../version.ts'

/** A program of this clone. */
export interface Script {
  readonly nodeOptions: readonly string[]
  /** Relative to the clone's root. */
  readonly file: string
  readonly args: readonly string[]
  /** Variables for it, unless the caller set them. */
  readonly defaults?: Readonly<Record<string, string>>
}

/** Runs `script` with Node and ends with its exit code. */
export async function runScript({ nodeOptions, file, args, defaults = {} }: Script): Promise<void> {
  const program = path.join(sourceDirectory, file)
  if (!existsSync(program)) throw new SetupProblem(`${file} is not in this clone`, { mend: `git checkout -- ${file}` })
  process.exitCode = await runNode([...nodeOptions, program, ...args], sourceDirectory, defaults)
}
