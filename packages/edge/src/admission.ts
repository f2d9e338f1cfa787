import type { IncomingMessage } from 'node:http'

import { type Route, accessTokenHeader, agentPort, trafficTokenHeader } from '@torpor/contract'

import { sameSecret } from './constant-time.ts'
import {
  type Refusal,
  invalidTarget,
  invalidTrafficToken,
  missingTrafficToken,
  reservedPath,
  sandboxNotFound,
  unknownToken,
  wakeDenied,
} from './refusals.ts'
import { isHealth, isReserved, originForm, pathOf } from './request-path.ts'
import type { RouteLookup } from './route-table.ts'
import { type Target, portOf } from './target.ts'

/** A request that may go to its sandbox, once that is awake. */
export interface Admitted {
  readonly route: Route
  readonly port: number
  /** Path and query in origin form, as the client spelled them. */
  readonly path: string
}

export type Admission = Admitted | { readonly refusal: Refusal }

/** Everything that is decided before a byte goes to the sandbox: does it exist, may this request enter it, may it wake it. */
export function admit(request: IncomingMessage, target: Target, routes: RouteLookup): Admission {
  const found = findRoute(target, routes)
  if ('refusal' in found) return found
  const path = originForm(request.url ?? '')
  if (path === undefined) return { refusal: invalidTarget }
  const admitted = { route: found, port: portOf(target), path }
  const refusal = refusalFor(request, admitted)
  return refusal ? { refusal } : admitted
}

/** Asks the agent how it is: says nothing of anybody's using the sandbox. */
export const isHealthProbe = ({ port, path }: Admitted): boolean => port === agentPort && isHealth(pathOf(path))

function findRoute(target: Target, routes: RouteLookup): Route | { readonly refusal: Refusal } {
  switch (target.by) {
    case 'id':
      return routes.byId(target.sandboxId) ?? { refusal: sandboxNotFound(target.sandboxId) }
    case 'token':
      return routes.byAccessToken(target.token) ?? { refusal: unknownToken }
    case 'signature':
      return routes.bySignature(target.file) ?? { refusal: unknownToken }
    case 'nothing':
      return { refusal: target.refusal }
  }
}

function refusalFor(request: IncomingMessage, { route, port, path }: Admitted): Refusal | undefined {
  const refusal = port === agentPort ? agentRefusal(path, route) : trafficRefusal(request, route)
  return refusal ?? (route.address === null && port === agentPort ? sleepingAgentRefusal(request, path, route) : undefined)
}

const agentRefusal = (path: string, { sandboxId }: Route): Refusal | undefined =>
  isReserved(pathOf(path)) ? reservedPath(sandboxId) : undefined

function trafficRefusal({ headers }: IncomingMessage, { sandboxId, trafficToken }: Route): Refusal | undefined {
  if (trafficToken === null) return undefined
  const token = headers[trafficTokenHeader]
  if (typeof token !== 'string' || token === '') return missingTrafficToken(sandboxId)
  return sameSecret(token, trafficToken) ? undefined : invalidTrafficToken(sandboxId)
}

/** A health probe never wakes (protocol.md 9); anything else on the agent's port only with the agent's token (protocol.md 2.5). */
function sleepingAgentRefusal({ headers }: IncomingMessage, path: string, { sandboxId, accessToken }: Route): Refusal | undefined {
  if (isHealth(pathOf(path))) return sandboxNotFound(sandboxId)
  const token = headers[accessTokenHeader]
  const isEntitled = accessToken === null || (typeof token === 'string' && sameSecret(token, accessToken))
  return isEntitled ? undefined : wakeDenied(sandboxId)
}
