import { stream } from 'hono/streaming'

import { errors } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'

export const verifyImages: Endpoint = {
  route: {
    method: 'post',
    path: '/torpor/verify',
    summary: 'Read every saved state whole and tell of each as it is done; for the operator',
    responses: {
      200: { description: 'JSON lines: {owner: {kind, id}, result: noted | intact | damaged, message?}' },
      ...errors(),
    },
  },
  handle: (context, { useCases }) => {
    context.header('content-type', 'application/x-ndjson')
    const abort = new AbortController()
    return stream(context, async (lines) => {
      lines.onAbort(() => abort.abort(new Error('the caller left')))
      for await (const verdict of useCases.verifyImages(abort.signal)) await lines.write(`${JSON.stringify(verdict)}\n`)
    })
  },
}
