import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { codeOf } from '@torpor/file-system'

import { type Config, ConfigError, apiKeyPattern } from './config.ts'
import { createOnce } from './create-once.ts'
import { Secret } from './secret.ts'

/** What a server keeps from everybody else. */
export interface Secrets {
  /** Opens the API. */
  readonly apiKey: Secret
  /** 32 bytes in hex, from which the tokens of all sandboxes follow. */
  readonly serverSecret: Secret
}

/** A new key, in the form that every SDK accepts. */
export const makeApiKey = (): string => `e2b_${randomBytes(20).toString('hex')}`

const apiKeyFile = 'api-key'
const serverSecretFile = 'server-secret'

/**
 * The secrets below `dataDirectory`; what is missing is made. A key in the configuration takes the place of the kept one.
 * @throws ConfigError when a file holds something else.
 */
export function loadSecrets(dataDirectory: string, config: Pick<Config, 'apiKey'>): Secrets {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  return {
    apiKey: config.apiKey ?? keep(path.join(dataDirectory, apiKeyFile), apiKeyPattern, makeApiKey),
    serverSecret: keep(path.join(dataDirectory, serverSecretFile), /^[0-9a-f]{64}$/, () => randomBytes(32).toString('hex')),
  }
}

/**
 * The API key of an existing data directory; undefined when none was made yet.
 * @throws the system's error (EACCES) when the caller may not read it.
 */
export function readApiKey(dataDirectory: string, config: Pick<Config, 'apiKey'>): Secret | undefined {
  return config.apiKey ?? read(path.join(dataDirectory, apiKeyFile), apiKeyPattern)
}

function keep(file: string, form: RegExp, make: () => string): Secret {
  const kept = read(file, form) ?? (createOnce(file, `${make()}\n`), read(file, form))
  if (kept === undefined) throw new ConfigError([`${file}: could not be made`])
  chmodSync(file, 0o600)
  return kept
}

function read(file: string, form: RegExp): Secret | undefined {
  let text
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  if (!form.test(text))
    throw new ConfigError([`${file}: holds no valid secret; restore it from a backup, or remove it to have a new one made`])
  return new Secret(text)
}
