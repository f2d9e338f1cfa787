import { TorporError } from '@torpor/contract'
import { Hono } from 'hono'

import { authenticate } from './authenticate.ts'
import { type ApiEnv, type Dependencies, routerPath } from './endpoint.ts'
import { endpoints } from './endpoints/index.ts'
import { errorToWire } from './errors-to-wire.ts'
import { openApiDocument } from './open-api.ts'
import { type ControlApiOptions, defaultMaxBodyBytes } from './options.ts'
import { trace } from './trace.ts'
import { notYet } from './unsupported-options.ts'
import { unsupportedRoutes } from './unsupported-routes.ts'

const documentPath = '/openapi.json'

/** The REST API of protocol.md 2: `fetch` of the result takes a request and gives its answer. */
export function createControlApi(options: ControlApiOptions): Hono<ApiEnv> {
  const dependencies: Dependencies = { maxBodyBytes: defaultMaxBodyBytes, ...options }
  // Ids and names may hold %2F: routes match on the path as it came (protocol.md 2.2).
  const app = new Hono<ApiEnv>({ getPath: undecodedPath })
  app.use(trace(options.log))
  app.use(authenticate(options.keys, isPublic))
  app.onError((error, context) => errorToWire(error, context, options.log))
  app.notFound((context) => {
    throw new TorporError('not_found', `There is no ${context.req.method} ${context.req.path} in this API`)
  })
  addUnsupported(app)
  for (const { route, handle } of endpoints) {
    app.on(route.method.toUpperCase(), routerPath(route.path), (context) => handle(context, dependencies))
  }
  app.get(documentPath, (context) => context.json(openApiDocument(options.version)))
  return app
}

/** The routes that need no key; a parameter stands for one segment of the path. */
const publicRoutes: readonly RegExp[] = [
  `GET ${documentPath}`,
  ...endpoints.filter((endpoint) => endpoint.isPublic).map(({ route }) => `${route.method.toUpperCase()} ${route.path}`),
].map((route) => new RegExp(`^${route.replaceAll('.', '[.]').replaceAll(/\{\w+\}/g, '[^/]+')}$`))

const isPublic = (method: string, path: string): boolean => publicRoutes.some((route) => route.test(`${method} ${path}`))

/** Before the endpoints: `/sandboxes/metrics` is no sandbox (protocol.md 2.1). */
function addUnsupported(app: Hono<ApiEnv>): void {
  for (const { feature, routes } of unsupportedRoutes) {
    for (const [method = '', path = ''] of routes.map((route) => route.split(' '))) {
      app.on(method, routerPath(path), () => {
        throw notYet(feature)
      })
    }
  }
}

function undecodedPath(request: Request): string {
  return new URL(request.url).pathname
}
