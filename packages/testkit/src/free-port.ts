import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port of the loopback that nobody has now, for what must know its port before it listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  server.close()
  await once(server, 'close')
  if (bound === null || typeof bound === 'string') throw new Error('no port is free')
  return bound.port
}
