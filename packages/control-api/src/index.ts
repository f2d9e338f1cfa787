export { createControlApi } from './create-control-api.ts'
export { type KeyCheck, hashedKeys } from './key-check.ts'
export { type OpenApiDocument, openApiDocument } from './open-api.ts'
export type { ControlApiOptions } from './options.ts'
