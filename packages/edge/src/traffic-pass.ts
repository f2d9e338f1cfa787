import { type Route, trafficTokenHeader } from '@torpor/contract'

import type { ClientRequest, RequestHead } from './client-request.ts'
import { sameSecret } from './constant-time.ts'
import { type Refusal, invalidTrafficToken, missingTrafficToken } from './refusals.ts'
import { queryOf } from './request-path.ts'

/**
 * Why a request may not enter a sandbox whose public traffic is restricted; undefined: it may. The token comes in the header
 * (protocol.md 3.10) or, since people in front of browsers set no headers, in a cookie or, once, in the query, both under the
 * header's name: the query is answered with the cookie and the address without the token.
 * @param path path and query in origin form.
 */
export function trafficRefusal(request: ClientRequest, path: string, { sandboxId, trafficToken }: Route): Refusal | undefined {
  if (trafficToken === null) return undefined
  const inQuery = mayBeSentOn(request) ? queryOf(path).get(trafficTokenHeader) : null
  if (inQuery !== null && sameSecret(inQuery, trafficToken)) return sentOn(request, path, trafficToken)
  const token = tokenOf(request) ?? inQuery
  if (token === null) return missingTrafficToken(sandboxId)
  return sameSecret(token, trafficToken) ? undefined : invalidTrafficToken(sandboxId)
}

/** A cookie header without our token, which the sandbox must not see; undefined when nothing is left. */
export function withoutPass(cookies: string): string | undefined {
  const kept = crumbsOf(cookies).filter((crumb) => nameOf(crumb) !== trafficTokenHeader)
  return kept.length === 0 ? undefined : kept.join('; ')
}

const mayBeSentOn = ({ method, headers }: RequestHead): boolean => (method === 'GET' || method === 'HEAD') && headers.upgrade === undefined

function tokenOf({ headers }: RequestHead): string | null {
  const token = headers[trafficTokenHeader]
  if (typeof token === 'string' && token !== '') return token
  const crumb = crumbsOf(headers.cookie ?? '').find((text) => nameOf(text) === trafficTokenHeader)
  return crumb === undefined ? null : crumb.slice(crumb.indexOf('=') + 1)
}

const crumbsOf = (cookies: string): string[] => cookies.split(/; */).filter((crumb) => crumb !== '')

const nameOf = (crumb: string): string => crumb.split('=', 1)[0]?.trim() ?? ''

/** The cookie is for this host name, that is for this port of this sandbox, and no script sees it. */
function sentOn({ isEncrypted, headers }: ClientRequest, path: string, token: string): Refusal {
  const [bare = '/', query = ''] = path.split(/\?(.*)/s)
  const kept = query.split('&').filter((part) => part !== '' && nameOf(part) !== trafficTokenHeader)
  // What would look like the name of another host to a browser stays a path.
  const location = (/^\/[/\\]/.test(bare) ? '/.' : '') + bare + (kept.length === 0 ? '' : `?${kept.join('&')}`)
  const secure = isEncrypted || headers['x-forwarded-proto'] === 'https' ? '; Secure' : ''
  return {
    status: 302,
    message: 'The token is taken. Go on without it in the address',
    headers: {
      Location: location,
      'Set-Cookie': `${trafficTokenHeader}=${token}; Path=/; HttpOnly; SameSite=Lax${secure}`,
      'Referrer-Policy': 'no-referrer',
    },
  }
}
