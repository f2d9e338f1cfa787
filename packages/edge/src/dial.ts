import { type IncomingMessage, request as send } from 'node:http'
import { type Socket, connect } from 'node:net'

import { type Route, accessTokenHeader, agentPort } from '@torpor/contract'

/**
 * Connects to a port of an awake sandbox: where it listens for the outside or, if nobody does, through the agent to its
 * loopback (protocol.md 3.10). Errors carry the system's codes; a port that nobody listens on is `ECONNREFUSED`.
 */
export async function dial(route: Route, port: number, milliseconds: number): Promise<Socket> {
  try {
    return await connected(route, port, milliseconds)
  } catch (error) {
    if (port === agentPort || codeOf(error) !== 'ECONNREFUSED') throw error
    return forwarded(route, port, milliseconds)
  }
}

/** The system's name of an error; '' without one. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

class DialFailed extends Error {
  override readonly name = 'DialFailed'
  readonly code: string

  constructor(code: string) {
    super(`connecting failed: ${code}`)
    this.code = code
  }
}

/** Its far side may end before its near side: some protocols do so. */
function connected({ address }: Route, port: number, milliseconds: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address ?? '', port, noDelay: true, keepAlive: true, allowHalfOpen: true })
    const timer = setTimeout(() => socket.destroy(new DialFailed('ETIMEDOUT')), milliseconds)
    socket.once('error', reject)
    socket.once('close', () => clearTimeout(timer))
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

async function forwarded(route: Route, port: number, milliseconds: number): Promise<Socket> {
  const socket = await connected(route, agentPort, milliseconds)
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'torpor-forward',
    ...(route.accessToken !== null && { [accessTokenHeader]: route.accessToken }),
  }
  return new Promise((resolve, reject) => {
    const asked = send({ createConnection: () => socket, path: `/forward?port=${port}`, headers })
    const timer = setTimeout(() => socket.destroy(new DialFailed('ETIMEDOUT')), milliseconds)
    socket.once('close', () => clearTimeout(timer))
    asked.once('upgrade', (_answer: IncomingMessage, _socket, rest: Buffer) => {
      clearTimeout(timer)
      if (rest.length > 0) socket.unshift(rest)
      resolve(socket)
    })
    // An agent of an older image knows no forwarding: for its sandbox the port is closed.
    asked.once('response', () => socket.destroy(new DialFailed('ECONNREFUSED')))
    asked.once('error', reject)
    asked.end()
  })
}
