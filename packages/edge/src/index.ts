export { type Edge, type EdgeLog, type EdgeOptions, type Wake, createEdge } from './edge.ts'
export type { EdgeLimits } from './limits.ts'
export { type RouteLookup, RouteTable } from './route-table.ts'
export { type SignedFile, signatureOf } from './signed-file.ts'
