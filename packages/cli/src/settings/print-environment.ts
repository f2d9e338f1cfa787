import process from 'node:process'

import { codeOf } from '@torpor/file-system'
import { type Config, clientEnvironment, clientTrust, loadConfig, publicDomain, readApiKey } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'

import { reachable } from '../server/address.ts'
import { servingServer } from '../server/server-record.ts'
import { shellQuoted } from './shell-quoted.ts'

/** Prints the lines that point the SDKs of both families to this server. */
export async function printEnvironment(): Promise<void> {
  const config = loadConfig()
  const key = requireKey(config)
  // A running server knows best where it is: with port 0 nobody else does.
  const serving = await servingServer(config.dataDirectory)
  const port = portOf(serving?.address) ?? config.listen.port
  const variables = clientEnvironment({
    url: `http://${reachable({ ...config.listen, port })}`,
    apiKey: key,
    domain: publicDomain(config, portOf(serving?.tlsAddress) ?? config.tls.listen?.port),
    trust: clientTrust(config),
  })
  process.stdout.write(
    Object.entries(variables)
      .map(([name, value]) => `export ${name}=${shellQuoted(value)}\n`)
      .join(''),
  )
}

const portOf = (address: string | undefined): number | undefined => (address === undefined ? undefined : Number(address.split(':').at(-1)))

function requireKey(config: Config): string {
  try {
    const key = readApiKey(config.dataDirectory, config)
    if (key !== undefined) return key.reveal()
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error
    throw new SetupProblem('the API key may be read by root only', { mend: 'eval "$(sudo ./torpor env)"', cause: error })
  }
  throw new SetupProblem('there is no API key yet: it is made at the first start', { mend: './torpor up --detach' })
}
