import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'

const lowest = 10_240
const given = new Set<number>()

/**
 * A port of the loopback that nobody has now, for what must know its port before it listens, and never the same again. It is
 * below those that the kernel gives to connections: none of them can take it meanwhile.
 */
export async function freePort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  const count = Number.parseInt(range, 10) - lowest
  for (let tries = 0; tries < 1000; tries++) {
    const port = lowest + Math.floor(Math.random() * count)
    if (!given.has(port) && (await isFree(port))) {
      given.add(port)
      return port
    }
  }
  throw new Error(`no port is free between ${lowest} and ${lowest + count}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (!listens) return false
  server.close()
  await once(server, 'close')
  return true
}
