import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

import { z } from 'zod'

import type { FakeMemory } from './fake-memory.ts'

const request = z.object({ process: z.object({ cmd: z.string(), args: z.array(z.string()).default([]) }) })

/**
 * A process of the fake agent. The last argument of a shell is read as: `write <path> <text>`, `print <text>`, `exit <code>`,
 * `hang` (until the client leaves), `serve` (counts, and goes on without the client), `need <path>` (fails while the file is not
 * there); anything else succeeds. Several are joined by ` && `.
 */
export async function startProcess(memory: FakeMemory, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(incoming)
  const { process } = request.parse(JSON.parse(body.toString('utf8', 5)))
  response.writeHead(200, { 'content-type': 'application/connect+json' })
  const send = (message: object, flag = 0): void => {
    const text = Buffer.from(JSON.stringify(message))
    const header = Buffer.alloc(5)
    header.writeUInt8(flag)
    header.writeUInt32BE(text.length, 1)
    response.write(Buffer.concat([header, text]))
  }
  send({ event: { start: { pid: 1 } } })
  const print = (text: string): void => send({ event: { data: { stdout: Buffer.from(`${text}\n`).toString('base64') } } })
  const status = perform(memory, process.args.at(-1) ?? '', process.args, print)
  if (status === undefined) return
  const end = { exitCode: status, exited: true, status: `exit status ${status}` }
  send({ event: { end } })
  send({}, 2)
  response.end()
}

/** undefined: it does not end. */
function perform(memory: FakeMemory, text: string, args: readonly string[], print: (text: string) => void): number | undefined {
  memory.commands.push(args.join(' '))
  for (const command of text.split(' && ')) {
    const [verb, first = '', ...rest] = command.split(' ')
    switch (verb) {
      case 'write':
        memory.files.set(first, rest.join(' '))
        break
      case 'print':
        print([first, ...rest].join(' '))
        break
      case 'exit':
        if (first !== '0') return Number(first)
        break
      case 'need':
        if (!memory.files.has(first)) return 1
        break
      case 'serve':
        memory.counter += 1
        return undefined
      case 'hang':
        return undefined
      default:
    }
  }
  return 0
}
