import { OpenAPIHono } from '@hono/zod-openapi'

import { endpoints } from './endpoints/index.ts'

export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>

/** The OpenAPI 3.1 document of every endpoint, made from the same schemas that check requests. */
export function openApiDocument(version: string): OpenApiDocument {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono()
  openAPIRegistry.registerComponent('securitySchemes', 'apiKey', { type: 'apiKey', in: 'header', name: 'X-API-KEY' })
  openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  for (const { route, isPublic } of endpoints) {
    openAPIRegistry.registerPath({ ...route, security: isPublic ? [] : [{ apiKey: [] }, { bearer: [] }] })
  }
  return getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Torpor', version, description: 'Sandboxes that sleep and wake with their files and their memory.' },
  })
}
