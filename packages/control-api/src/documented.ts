import { z } from '@hono/zod-openapi'
import {
  errorBody,
  forkResult,
  listedSandbox,
  newSandbox,
  sandboxAnswer,
  sandboxDetail,
  sandboxLogEntry,
  sandboxMetric,
  snapshotInfo,
} from '@torpor/contract'

/** The schemas under the names that the OpenAPI document gives them. */
export const schemas = {
  newSandbox: newSandbox.meta({ id: 'NewSandbox' }),
  sandbox: sandboxAnswer.meta({ id: 'Sandbox' }),
  listedSandbox: listedSandbox.meta({ id: 'ListedSandbox' }),
  sandboxDetail: sandboxDetail.meta({ id: 'SandboxDetail' }),
  forkResult: forkResult.meta({ id: 'SandboxForkResult' }),
  snapshotInfo: snapshotInfo.meta({ id: 'SnapshotInfo' }),
  metric: sandboxMetric.meta({ id: 'SandboxMetric' }),
  logEntry: sandboxLogEntry.meta({ id: 'SandboxLogEntry' }),
  error: errorBody.meta({ id: 'Error' }),
}

export const sandboxParams = z.object({ sandboxID: z.string() })

/** A JSON body in the document. */
export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** The error answers of an endpoint; every one of them has the same body. */
export function errors(...statuses: number[]) {
  return Object.fromEntries([400, 401, 500, ...statuses].map((status) => [status, json(schemas.error, 'Error')]))
}
