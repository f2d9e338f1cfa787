import { TorporError, parseSandboxId, sandboxNotFound } from '@torpor/contract'
import type { z } from 'zod'

import type { ApiContext, Dependencies } from './endpoint.ts'

/**
 * The sandbox id of the path, `<id>-<clientID>` of old clients included.
 * @throws TorporError `not_found` for what cannot be an id: nobody needs to know the difference.
 */
export function sandboxIdOf(context: ApiContext): string {
  const asked = context.req.param('sandboxID') ?? ''
  const id = parseSandboxId(asked)
  if (id === undefined) throw sandboxNotFound(asked.slice(0, 64))
  return id
}

/**
 * The JSON body, checked. An empty body counts as `{}`; the content type does not matter, because clients differ in it.
 * @throws TorporError `invalid_argument` naming the field, `body_too_large`.
 */
export async function bodyOf<Schema extends z.ZodType>(
  context: ApiContext,
  schema: Schema,
  { maxBodyBytes }: Pick<Dependencies, 'maxBodyBytes'>,
): Promise<z.output<Schema>> {
  const text = await textWithin(context.req.raw, maxBodyBytes)
  return validated(schema, text.trim() === '' ? {} : parseJson(text))
}

/** @throws TorporError `invalid_argument` that names every field at fault with its reason. */
export function validated<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const reasons = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw new TorporError('invalid_argument', reasons.join('; '))
}

/** The query's parameters, each once; one without a value counts as absent. */
export const givenParameters = (context: ApiContext): Record<string, string> =>
  Object.fromEntries(Object.entries(context.req.query()).filter(([, value]) => value !== ''))

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TorporError('invalid_argument', 'The request body is not valid JSON', { cause })
  }
}

/** Counts while it reads: a chunked body announces no length. */
async function textWithin(request: Request, limit: number): Promise<string> {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > limit) throw bodyTooLarge(limit)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > limit) throw bodyTooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const bodyTooLarge = (limit: number): TorporError =>
  new TorporError('body_too_large', `The request body is larger than ${limit} bytes, the most that is accepted`)
