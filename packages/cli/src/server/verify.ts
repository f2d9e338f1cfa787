import process from 'node:process'

import { loadConfig, readApiKey } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'

import { type Verdict, verify as readAll } from './api-client.ts'
import { servingServer } from './server-record.ts'

/** Reads every saved state whole; a line for each. Exit code 1 when one is damaged. */
export async function verify(options: { readonly json: boolean }): Promise<void> {
  const config = loadConfig()
  const record = await servingServer(config.dataDirectory)
  const key = readApiKey(config.dataDirectory, config)
  if (!record || key === undefined) throw new SetupProblem('the server is not running', { mend: './torpor up --detach' })
  let damaged = 0
  let all = 0
  for await (const verdict of readAll(record.address, key)) {
    all += 1
    if (verdict.result === 'damaged') damaged += 1
    process.stdout.write(options.json ? `${JSON.stringify(verdict)}\n` : describe(verdict))
  }
  if (!options.json) process.stdout.write(`${all} read, ${damaged} damaged\n`)
  if (damaged > 0) process.exitCode = 1
}

const words = { noted: 'read for the first time', intact: 'intact', damaged: 'DAMAGED' }

const describe = ({ owner, result, message }: Verdict): string =>
  `${owner.kind} ${owner.id}  ${words[result]}${message === undefined ? '' : `: ${message}`}\n`
