import { accessTokenHeader, agentPort, parseSandboxId, routingHeaders } from '@torpor/contract'

import type { RequestHead } from './client-request.ts'
import { type Refusal, invalidId, invalidPort, missingHeader, unnamedSandbox } from './refusals.ts'
import { pathOf, queryOf } from './request-path.ts'
import { type SignedFile, signedFileOf } from './signed-file.ts'

/** How a request says which sandbox it is for; `nothing`: it is for one, but does not say for which. */
export type Target =
  | { readonly by: 'id'; readonly sandboxId: string; readonly port: number }
  | { readonly by: 'token'; readonly token: string }
  | { readonly by: 'signature'; readonly file: SignedFile }
  | { readonly by: 'nothing'; readonly refusal: Refusal }

/**
 * Routing headers first, then the host name, then what a path of the agent brings along (protocol.md 1.4, 9).
 * Undefined: the request is for the control plane.
 */
export function targetOf(request: RequestHead, domain: string): Target | undefined {
  const named = targetOfHeaders(request)
  if (named) return isControlCall(request, named) ? undefined : named
  return targetOfHost(request, domain) ?? targetOfPath(request)
}

/**
 * `novita-sandbox` for Python sends the routing headers of the agent with its control-plane calls too; the agent has none of
 * these paths.
 */
const isControlCall = ({ headers, url = '' }: RequestHead, target: Target): boolean =>
  target.by === 'id' && target.port === agentPort && headers['x-api-key'] !== undefined && controlPaths.test(pathOf(url))

const controlPaths = /^\/(v\d\/)?(sandboxes|templates|snapshots)(\/|$)/

function targetOfHeaders({ headers }: RequestHead): Target | undefined {
  for (const names of routingHeaders) {
    const id = headers[names.id]
    const port = headers[names.port]
    if (!id && !port) continue
    return id && port ? named(String(id), String(port)) : nothing(missingHeader)
  }
  return undefined
}

/** `<port>-<id>[-anything].<domain>`; a domain with a port is compared without it. */
function targetOfHost({ headers }: RequestHead, domain: string): Target | undefined {
  const host = withoutPort(headers.host ?? '')
  const dot = host.indexOf('.')
  if (dot === -1 || host.slice(dot + 1) !== withoutPort(domain)) return undefined
  const [port = '', id] = host.slice(0, dot).split('-')
  return id === undefined ? undefined : named(id, port)
}

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')

function named(idText: string, portText: string): Target {
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65_535) return nothing(invalidPort)
  const sandboxId = parseSandboxId(idText)
  return sandboxId === undefined ? nothing(invalidId) : { by: 'id', sandboxId, port }
}

const agentServices = /^\/(process\.Process|filesystem\.Filesystem)\/|^\/(files|envs)$/

/** `/health` and `/metrics` are the control plane's, unless a sandbox's token comes with them. */
const sharedPaths = /^\/(health|metrics)$/

function targetOfPath({ headers, method, url = '' }: RequestHead): Target | undefined {
  const path = pathOf(url)
  const token = headers[accessTokenHeader]
  const isAgents = agentServices.test(path)
  if (typeof token === 'string' && token !== '' && (isAgents || sharedPaths.test(path))) return { by: 'token', token }
  if (!isAgents) return undefined
  const file = path === '/files' ? signedFileOf(method, queryOf(url)) : undefined
  return file ? { by: 'signature', file } : nothing(unnamedSandbox)
}

const nothing = (refusal: Refusal): Target => ({ by: 'nothing', refusal })

/** The port that a target means. */
export const portOf = (target: Target): number => (target.by === 'id' ? target.port : agentPort)
