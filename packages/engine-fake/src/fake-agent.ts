import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

import { accessTokenHeader } from '@torpor/contract'

import { startProcess } from './fake-commands.ts'
import { type FakeMemory, parseIdentity } from './fake-memory.ts'

type Handler = (memory: FakeMemory, request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** Answered without the access token (protocol.md 3.1). */
const open = new Set(['GET /health', 'POST /init'])

const handlers: Readonly<Record<string, Handler>> = {
  'GET /health': (_memory, _request, response) => void response.writeHead(204).end(),
  'POST /init': init,
  'GET /envs': (memory, _request, response) => answer(response, 200, memory.identity.envVars ?? {}),
  'POST /count': (memory, _request, response) => {
    memory.counter += 1
    answer(response, 200, { counter: memory.counter })
  },
  'POST /oom': endBiggest,
  'GET /files': readFile,
  'POST /files': async (memory, request, response) => {
    memory.files.set(pathOf(request), await text(request))
    answer(response, 200, [{ path: pathOf(request), type: 'file' }])
  },
  'POST /process.Process/Start': startProcess,
  'GET /state': ({ counter, identity }, _request, response) => answer(response, 200, { counter, identity }),
}

/** The part of the agent's REST that the control plane uses, over a memory that survives captures. */
export const fakeAgent =
  (memory: FakeMemory): RequestListener =>
  (request, response) => {
    const key = `${request.method} ${(request.url ?? '').split('?', 1)[0]}`
    const handler = handlers[key]
    if (!handler) return answer(response, 404, { code: 404, message: 'not found' })
    if (!open.has(key) && !mayEnter(memory, request)) {
      return answer(response, 401, { code: 401, message: 'unauthorized access, please provide a valid access token' })
    }
    Promise.resolve(handler(memory, request, response)).catch((error: unknown) =>
      answer(response, 400, { code: 400, message: error instanceof Error ? error.message : 'bad request' }),
    )
  }

const mayEnter = ({ identity }: FakeMemory, request: IncomingMessage): boolean =>
  identity.accessToken === undefined || request.headers[accessTokenHeader] === identity.accessToken

/** Only who knows the token that is installed may give another one; an empty one opens the sandbox (protocol.md 3.2). */
async function init(memory: FakeMemory, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const wanted = parseIdentity(await text(request))
  const { accessToken } = memory.identity
  const known = [request.headers[accessTokenHeader], wanted.accessToken]
  if (accessToken !== undefined && !known.includes(accessToken)) {
    return answer(response, 401, { code: 401, message: 'unauthorized access, please provide a valid access token' })
  }
  const { accessToken: given, ...rest } = wanted
  memory.identity = { ...rest, ...(given !== undefined && given !== '' && { accessToken: given }) }
  response.writeHead(204).end()
}

function endBiggest({ processes }: FakeMemory, request: IncomingMessage, response: ServerResponse): void {
  const [pid, rssBytes] = [...processes].toSorted(([, a], [, b]) => b - a)[0] ?? [0, -1]
  if (rssBytes < Number(queryOf(request).get('least'))) return answer(response, 404, { code: 404, message: 'there is no process to kill' })
  processes.delete(pid)
  answer(response, 200, { pid, command: `process ${pid}`, rssBytes })
}

/** The root's files, and the one file of /proc that tells a fresh boot from a restore. */
function readFile(memory: FakeMemory, request: IncomingMessage, response: ServerResponse): void {
  const path = pathOf(request)
  const content = path === '/proc/sys/kernel/random/boot_id' ? `${memory.bootId}\n` : memory.files.get(path)
  if (content === undefined) return answer(response, 404, { code: 404, message: `path '${path}' does not exist` })
  response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(content)
}

const queryOf = (request: IncomingMessage): URLSearchParams => new URL(request.url ?? '/', 'http://agent').searchParams
const pathOf = (request: IncomingMessage): string => queryOf(request).get('path') ?? ''

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
