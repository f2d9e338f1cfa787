import { type Route, accessTokenHeader, agentPort } from '@torpor/contract'

import type { ClientRequest, RequestHead } from './client-request.ts'
import { sameSecret } from './constant-time.ts'
import { type Refusal, invalidTarget, reservedPath, sandboxNotFound, unknownToken, wakeDenied } from './refusals.ts'
import { isHealth, isReserved, originForm, pathOf } from './request-path.ts'
import type { RouteLookup } from './route-table.ts'
import { type Target, portOf } from './target.ts'
import { trafficRefusal } from './traffic-pass.ts'

/** A request that may go to its sandbox, once that is awake. */
export interface Admitted {
  readonly route: Route
  readonly port: number
  /** Path and query in origin form, as the client spelled them. */
  readonly path: string
}

export type Admission = Admitted | { readonly refusal: Refusal }

/** Everything that is decided before a byte goes to the sandbox: does it exist, may this request enter it, may it wake it. */
export function admit(request: ClientRequest, target: Target, routes: RouteLookup): Admission {
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

function refusalFor(request: ClientRequest, { route, port, path }: Admitted): Refusal | undefined {
  const refusal = port === agentPort ? agentRefusal(path, route) : trafficRefusal(request, path, route)
  return refusal ?? (route.address === null && port === agentPort ? sleepingAgentRefusal(request, path, route) : undefined)
}

const agentRefusal = (path: string, { sandboxId }: Route): Refusal | undefined =>
  isReserved(pathOf(path)) ? reservedPath(sandboxId) : undefined

/** A health probe never wakes (protocol.md 9); anything else on the agent's port only with the agent's token (protocol.md 2.5). */
function sleepingAgentRefusal({ headers }: RequestHead, path: string, { sandboxId, accessToken }: Route): Refusal | undefined {
  if (isHealth(pathOf(path))) return sandboxNotFound(sandboxId)
  const token = headers[accessTokenHeader]
  const isEntitled = accessToken === null || (typeof token === 'string' && sameSecret(token, accessToken))
  return isEntitled ? undefined : wakeDenied(sandboxId)
}
