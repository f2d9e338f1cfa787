import { type Route, routingHeaders, trafficTokenHeader } from '@torpor/contract'

import type { ClientRequest } from './client-request.ts'
import { withoutPass } from './traffic-pass.ts'

/** Of one connection only, never passed on (RFC 9110, 7.6.1). */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]

/** The operator's key opens the control plane and must not be shown to code that nobody has read. */
const operators = ['x-api-key', trafficTokenHeader, ...routingHeaders.flatMap(({ id, port }) => [id, port])]

/** Replaced, or answered by the edge itself. */
const ours = ['host', 'expect', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']

const droppedFromRequests = new Set([...hopByHop, ...operators, ...ours])

const droppedFromAnswers = new Set(hopByHop)

/** The headers that a sandbox gets for `request`: names, values, names… in the client's case and order. */
export function requestHeaders(request: ClientRequest, route: Route, port: number): string[] {
  const { headers, remoteAddress } = request
  const host = maskedHost(route, port) ?? headers.host
  const forwardedFor = [headers['x-forwarded-for'], remoteAddress].filter((address) => address !== undefined).join(', ')
  return [
    ...(host === undefined ? [] : ['Host', host]),
    ...withoutPasses(without(request.rawHeaders, droppedFromRequests)),
    'X-Forwarded-For',
    forwardedFor,
    'X-Forwarded-Proto',
    request.isEncrypted ? 'https' : 'http',
    ...(headers.host === undefined ? [] : ['X-Forwarded-Host', headers.host]),
  ]
}

function withoutPasses(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const [name = '', value = ''] = headers.slice(index, index + 2)
    const left = name.toLowerCase() === 'cookie' ? withoutPass(value) : value
    if (left !== undefined) kept.push(name, left)
  }
  return kept
}

/** The headers that a client gets of a sandbox's answer. */
export const answerHeaders = (rawHeaders: readonly string[]): string[] => without(rawHeaders, droppedFromAnswers)

const maskedHost = ({ maskRequestHost }: Route, port: number): string | undefined => maskRequestHost?.replaceAll('${PORT}', String(port))

/** Leaves out `dropped` and what a Connection header names. */
function without(rawHeaders: readonly string[], dropped: ReadonlySet<string>): string[] {
  const alsoDropped = namedByConnection(rawHeaders)
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const key = name.toLowerCase()
    if (!dropped.has(key) && !alsoDropped.includes(key)) kept.push(name, rawHeaders[index + 1] ?? '')
  }
  return kept
}

function namedByConnection(rawHeaders: readonly string[]): string[] {
  const named: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1] ?? ''
    if (rawHeaders[index]?.toLowerCase() === 'connection') named.push(...value.split(',').map((name) => name.trim().toLowerCase()))
  }
  return named
}
