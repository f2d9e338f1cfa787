import { STATUS_CODES } from 'node:http'

import type { Answer } from './answer.ts'
import type { RequestHead } from './client-request.ts'
import { refusalPage } from './refusal-page.ts'
import type { Refusal } from './refusals.ts'

/** Answers in the edge's own name: JSON, plain text or, for a person in front of a browser, a page (protocol.md 3.10). */
export function answerRefusal(request: RequestHead, answer: Answer, refusal: Refusal): void {
  const { type, body } = bodyFor(request, refusal)
  // A body on its way is read away by the server, so that the client hears this; one that was not asked for may never come.
  if (request.headers.expect !== undefined) answer.isLast()
  const headers: Record<string, string> = {
    'Content-Type': type,
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    Date: new Date().toUTCString(),
  }
  Object.assign(headers, refusal.headers)
  if (refusal.retryAfterSeconds !== undefined) headers['Retry-After'] = String(refusal.retryAfterSeconds)
  answer.begin(refusal.status, STATUS_CODES[refusal.status] ?? '', Object.entries(headers).flat())
  if (request.method !== 'HEAD') answer.body.write(body)
  answer.end([])
}

function bodyFor(request: RequestHead, refusal: Refusal): { readonly type: string; readonly body: string } {
  if (refusal.isText) return { type: 'text/plain; charset=utf-8', body: refusal.message }
  if (wantsPage(request)) return { type: 'text/html; charset=utf-8', body: refusalPage(refusal) }
  const { sandboxId, message, port, status } = refusal
  return { type: 'application/json', body: JSON.stringify({ sandboxId, message, port, code: status }) }
}

const wantsPage = ({ headers }: RequestHead): boolean => (headers.accept ?? '').includes('text/html')
