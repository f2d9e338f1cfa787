import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

import { sourceDirectory } from '@torpor/testkit'

const run = promisify(execFile)

export interface Registry {
  readonly host: string
  end(): void
}

/** Builds the registry of `oci/testregistry`, one static program. */
export async function buildRegistry(program: string): Promise<void> {
  const go = { cwd: path.join(sourceDirectory, 'oci'), env: { ...process.env, CGO_ENABLED: '0' } }
  await run('go', ['build', '-o', program, './testregistry'], go)
}

/** A real registry with `team/app:v1`, made of the archive that the arguments name. */
export async function openRegistry(program: string, args: readonly string[]): Promise<Registry> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = await once(createInterface({ input: child.stdout }), 'line')
  return { host: `localhost:${port}`, end: () => child.stdin.end() }
}
