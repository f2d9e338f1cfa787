import { createHash, timingSafeEqual } from 'node:crypto'

import { z } from '@hono/zod-openapi'
import { TorporError, fileLink } from '@torpor/contract'

import { errors, json } from '../../documented.ts'
import type { ApiContext, Endpoint } from '../../endpoint.ts'
import { givenParameters, validated } from '../../request-input.ts'

const linkMilliseconds = 3_600_000
const uploadPath = '/torpor/uploads'

/** Clients hold the hash for a name of their own making; the link for its upload works without a key for an hour. */
export const getFileLink: Endpoint = {
  route: {
    method: 'get',
    path: '/templates/{templateID}/files/{hash}',
    summary: 'Whether the files of a COPY step are here, and where to put them',
    request: { params: z.object({ templateID: z.string(), hash: z.string() }) },
    responses: { 201: json(fileLink, 'The link is good for an hour'), ...errors(404, 503) },
  },
  handle: async (context, { useCases, uploads, tokens }) => {
    const { templateID = '', hash = '' } = context.req.param()
    useCases.getTemplate(templateID)
    const present = await uploads.has(hash)
    const expires = Date.now() + linkMilliseconds
    const url = new URL(`${uploadPath}/${hash}`, originOf(context))
    url.search = new URLSearchParams({ expires: String(expires), signature: tokens.upload(hash, expires) }).toString()
    return context.json({ present, url: url.toString() }, 201)
  },
}

/** Where the client reached us: behind a proxy that ends TLS, by TLS. */
function originOf(context: ApiContext): string {
  const { protocol, host } = new URL(context.req.url)
  return `${context.req.header('x-forwarded-proto') === 'https' ? 'https:' : protocol}//${host}`
}

const linkQuery = z.object({ expires: z.coerce.number().int(), signature: z.string().max(256) })

/** Ours: where archives of COPY steps go. */
export const putFiles: Endpoint = {
  isPublic: true,
  route: {
    method: 'put',
    path: `${uploadPath}/{hash}`,
    summary: 'Upload the archive of a COPY step to the link that was given for it',
    request: { params: z.object({ hash: z.string() }), query: linkQuery },
    responses: { 200: { description: 'It is kept' }, ...errors(403, 413, 507) },
  },
  handle: async (context, { uploads, tokens }) => {
    const hash = context.req.param('hash') ?? ''
    const { expires, signature } = validated(linkQuery, givenParameters(context))
    if (!isSame(signature, tokens.upload(hash, expires)) || expires < Date.now()) {
      throw new TorporError('forbidden', 'The link for this upload is not valid any more. Start the build again')
    }
    const announced = context.req.header('content-length')
    const body = context.req.raw.body ?? new Blob([]).stream()
    await uploads.receive(hash, body, announced === undefined ? undefined : Number(announced))
    return context.body(null, 200)
  },
}

/** In a time that does not tell how much of it is right. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
