import { TorporError } from '@torpor/contract'
import type { SandboxRecord } from '@torpor/core'

/** Options of protocol.md 2.3 that would be misleading or unsafe to ignore: a sandbox is refused rather than made without them. */
const unsupported = ['network.rules', 'network.egressProxy', 'network.httpsPorts', 'volumeMounts', 'mcp', 'iam.tokens', 'secrets'] as const

export const notYet = (what: string): TorporError => new TorporError('unimplemented', `${what} is not supported yet by this Torpor version`)

/** @throws TorporError `unimplemented` naming the first option that is set. */
export function refuseUnsupported(body: Readonly<Record<string, unknown>>): void {
  const option = unsupported.find((path) => isSet(valueAt(body, path)))
  if (option !== undefined) throw notYet(option)
}

/** Connect may ask to restrict a sandbox further (Novita): what would stay open is refused, what is so already passes. */
export function refuseNewRestrictions(body: Readonly<Record<string, unknown>>, { secure, network }: SandboxRecord): void {
  refuseUnsupported(body)
  if (body['secure'] === true && !secure) throw notYet('secure: true on a sandbox that was created without it')
  const publicTraffic = body['allowPublicTraffic'] ?? valueAt(body, 'network.allowPublicTraffic')
  if (publicTraffic === false && network.allowPublicTraffic) {
    throw notYet('allowPublicTraffic: false on a sandbox that was created without it')
  }
}

function valueAt(body: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), body)
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false
  return isObject(value) ? Object.keys(value).length > 0 : true
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
