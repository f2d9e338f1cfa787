import type { z } from 'zod'

import type { Connection } from './connection.ts'
import { refusal, translated, unreachable } from './problem.ts'

interface Asked {
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly milliseconds?: number
}

const usualMilliseconds = 60_000

/** The calls of the API that the SDK has no method for (protocol.md 2.2, docs/api-extensions.md). */
export class ServerApi {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** @throws RemoteProblem when the server refuses, is not there, or answers with something else. */
  async ask<Answer>(method: 'GET' | 'POST' | 'PATCH', path: string, schema: z.ZodType<Answer>, asked: Asked = {}): Promise<Answer> {
    const response = await this.#fetch(method, path, asked)
    const text = await response.text()
    const parsed = schema.safeParse(parseJson(text))
    if (!parsed.success) throw unreachable(this.#connection.apiUrl, parsed.error)
    return parsed.data
  }

  /** A DELETE. */
  async delete(path: string): Promise<void> {
    await (await this.#fetch('DELETE', path, {})).body?.cancel()
  }

  async #fetch(method: string, path: string, { query = {}, body, milliseconds = usualMilliseconds }: Asked): Promise<Response> {
    const { apiUrl, apiKey } = this.#connection
    const url = new URL(apiUrl + path)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
    const response = await fetch(url, {
      method,
      headers: { 'X-API-KEY': apiKey.reveal(), ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(milliseconds),
    }).catch((error: unknown) => {
      throw translated(error, apiUrl)
    })
    if (response.ok) return response
    throw refusal(response.status, messageOf(await response.text()) ?? `the server answered ${response.status} to ${method} ${path}`)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function messageOf(text: string): string | undefined {
  const body = parseJson(text)
  return typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string' ? body.message : undefined
}
