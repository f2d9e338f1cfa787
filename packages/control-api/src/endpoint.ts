import type { RouteConfig } from '@hono/zod-openapi'
import type { Context } from 'hono'

import type { ControlApiOptions } from './options.ts'

/** What the API keeps with a request while it is answered. */
export interface ApiEnv {
  readonly Variables: { requestId: string }
}

export type ApiContext = Context<ApiEnv>

/** What a handler works with. */
export type Dependencies = Required<ControlApiOptions>

/** One endpoint: its place in the OpenAPI document and what it does. */
export interface Endpoint {
  readonly route: RouteConfig
  /** True for the few that need no key. */
  readonly isPublic?: boolean
  readonly handle: (context: ApiContext, dependencies: Dependencies) => Response | Promise<Response>
}

/** `/sandboxes/{sandboxID}` of OpenAPI as the router spells it. */
export const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')
