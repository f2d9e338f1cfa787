import { readFileSync } from 'node:fs'

import { codeOf } from '@torpor/file-system'
import { type Environment, Secret, loadConfig, processEnvironment, publicDomain, readApiKey } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'

import { exitCodes } from '../exit-codes.ts'
import { reachable } from '../server/address.ts'
import { servingServer } from '../server/server-record.ts'
import { RemoteProblem } from './problem.ts'

/** Whose variables count first. */
type Family = 'E2B' | 'NOVITA'

/** Options of every command that asks a server. */
export interface ConnectionFlags {
  readonly apiUrl?: string
  readonly apiKeyFile?: string
  readonly domain?: string
  readonly family?: Family
}

/** A server, and how to be let in. */
export interface Connection {
  readonly apiUrl: string
  /** Where sandboxes are reached by routing headers. */
  readonly sandboxUrl: string
  /** Host names of sandboxes end with it; undefined when nobody said. */
  readonly domain: string | undefined
  readonly apiKey: Secret
}

/**
 * Where to, by flags, else by the variables of the SDKs (protocol.md 1.1), else the server of this machine.
 * @throws SetupProblem when there is no server or no key.
 */
export async function resolveConnection(flags: ConnectionFlags, env: Environment = processEnvironment()): Promise<Connection> {
  const given = variablesOf(env, flags.family ?? 'E2B')
  const apiUrl = flags.apiUrl ?? given.apiUrl
  if (apiUrl === undefined) return withFlags(await localConnection(env), flags, given)
  const apiKey = flags.apiKeyFile === undefined ? given.apiKey : readKeyFile(flags.apiKeyFile)
  if (apiKey === undefined) {
    const mend = 'set E2B_API_KEY, or name a file that holds it by --api-key-file'
    throw new RemoteProblem(`there is no API key for ${apiUrl}`, exitCodes.usage, { mend })
  }
  // Flags and variables may speak of two servers: the place of the sandboxes goes with the API's.
  const sandboxUrl = flags.apiUrl === undefined ? given.sandboxUrl : undefined
  const url = validUrl(apiUrl)
  return { apiUrl: url, sandboxUrl: sandboxUrl ?? url, domain: flags.domain ?? given.domain, apiKey }
}

interface Variables {
  readonly apiUrl: string | undefined
  readonly sandboxUrl: string | undefined
  readonly domain: string | undefined
  readonly apiKey: Secret | undefined
}

/** The first family that names a server, else what there is of keys. */
function variablesOf(env: Environment, first: Family): Variables {
  const families: Family[] = first === 'E2B' ? ['E2B', 'NOVITA'] : ['NOVITA', 'E2B']
  const all = families.map((family): Variables => {
    const value = (name: string): string | undefined => env[`${family}_${name}`] || undefined
    const domain = value('DOMAIN')
    const key = value('API_KEY')
    const apiUrl = value('API_URL') ?? (domain === undefined ? undefined : `https://api.${domain}`)
    return { apiUrl, sandboxUrl: value('SANDBOX_URL'), domain, apiKey: key === undefined ? undefined : new Secret(key) }
  })
  const found = all.find(({ apiUrl }) => apiUrl !== undefined)
  return (
    found ??
    all.find(({ apiKey }) => apiKey !== undefined) ?? { apiUrl: undefined, sandboxUrl: undefined, domain: undefined, apiKey: undefined }
  )
}

function withFlags(local: Connection, { apiKeyFile, domain }: ConnectionFlags, given: Variables): Connection {
  const apiKey = apiKeyFile === undefined ? given.apiKey : readKeyFile(apiKeyFile)
  return { ...local, apiKey: apiKey ?? local.apiKey, domain: domain ?? local.domain }
}

/** The server of the data directory. */
async function localConnection(env: Environment): Promise<Connection> {
  const config = loadConfig(env)
  const serving = await servingServer(config.dataDirectory).catch(refusedToStrangers)
  const apiKey = readLocalKey(config)
  if (serving === undefined || apiKey === undefined) {
    const mend = './torpor up --detach; for a server elsewhere, set E2B_API_URL and E2B_API_KEY'
    throw new RemoteProblem('no server runs here, and none is named', exitCodes.unreachable, { mend })
  }
  const place = serving.address.lastIndexOf(':')
  const host = serving.address.slice(0, place).replaceAll(/[[\]]/g, '')
  const apiUrl = `http://${reachable({ host, port: Number(serving.address.slice(place + 1)) })}`
  const tlsPort = serving.tlsAddress === undefined ? undefined : Number(serving.tlsAddress.split(':').at(-1))
  return { apiUrl, sandboxUrl: apiUrl, domain: publicDomain(config, tlsPort), apiKey }
}

function readLocalKey(config: ReturnType<typeof loadConfig>): Secret | undefined {
  try {
    return readApiKey(config.dataDirectory, config)
  } catch (error) {
    return refusedToStrangers(error)
  }
}

function refusedToStrangers(error: unknown): never {
  if (codeOf(error) !== 'EACCES') throw error
  throw new SetupProblem('the server of this machine lets in root only', { mend: 'eval "$(sudo ./torpor env)"', cause: error })
}

function readKeyFile(file: string): Secret {
  try {
    const key = readFileSync(file, 'utf8').trim()
    if (key !== '') return new Secret(key)
  } catch (error) {
    throw new SetupProblem(`the API key cannot be read from ${file}`, { mend: 'see --api-key-file', cause: error })
  }
  throw new SetupProblem(`${file} is empty`, { mend: 'see --api-key-file' })
}

/** Novita's SDK takes a URL without a scheme for https. */
function validUrl(text: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new RemoteProblem(`${text} is no URL of a server`, exitCodes.usage, { mend: 'it looks like http://127.0.0.1:3180' })
  return url.href.replace(/\/$/, '')
}
