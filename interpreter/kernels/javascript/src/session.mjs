/** The worker: Jupyter's side of the kernel. Requests are answered one after the other, interrupts at once. */
import { readFileSync } from 'node:fs'

import { Publisher, Reply, Router } from 'zeromq'

import { MainThread } from './main-thread.mjs'
import { Messages } from './messages.mjs'
import { rewrite } from './rewrite.mjs'

const connection = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const messages = new Messages(connection.key)
const address = (port) => `${connection.transport}://${connection.ip}:${connection[port]}`

const shell = new Router()
const control = new Router()
const stdin = new Router()
const output = new Publisher({ sendHighWaterMark: 0 })
const heartbeat = new Reply()
await Promise.all([
  shell.bind(address('shell_port')),
  control.bind(address('control_port')),
  stdin.bind(address('stdin_port')),
  output.bind(address('iopub_port')),
  heartbeat.bind(address('hb_port')),
])

let executions = 0
/** The request whose output this is. */
let current

// One message after the other: a socket takes the next when the last is on its way.
let sent = Promise.resolve()
const publish = (type, content, parent = current) => {
  sent = sent.then(() => output.send(messages.encode(type, content, parent, [type])))
  return sent
}

const mainThread = new MainThread(({ stream, text, display }) => {
  if (stream) void publish('stream', { name: stream, text })
  else void publish('display_data', { data: display, metadata: {}, transient: {} })
})

const information = {
  status: 'ok',
  protocol_version: '5.4',
  implementation: 'torpor-javascript',
  implementation_version: '0.1.0',
  language_info: { name: 'javascript', version: process.versions.node, mimetype: 'text/javascript', file_extension: '.js' },
  banner: `Node ${process.versions.node}`,
  help_links: [],
}

const handlers = {
  kernel_info_request: () => information,
  execute_request: execute,
  is_complete_request: () => ({ status: 'unknown' }),
  complete_request: ({ content }) => ({
    status: 'ok',
    matches: [],
    cursor_start: content.cursor_pos,
    cursor_end: content.cursor_pos,
    metadata: {},
  }),
  inspect_request: () => ({ status: 'ok', found: false, data: {}, metadata: {} }),
  history_request: () => ({ status: 'ok', history: [] }),
  comm_info_request: () => ({ status: 'ok', comms: {} }),
  interrupt_request: () => mainThread.interrupt().then(() => ({ status: 'ok' })),
  shutdown_request: ({ content }) => ({ status: 'ok', restart: content.restart }),
}

async function execute(request) {
  const { code, silent } = request.content
  if (!silent) {
    executions += 1
    await publish('execute_input', { code, execution_count: executions })
  }
  const { data, error } = await mainThread.evaluate(rewrite(code))
  if (error) {
    if (!silent) await publish('error', error)
    return { status: 'error', execution_count: executions, ...error }
  }
  if (!silent && Object.keys(data).length > 0) await publish('execute_result', { execution_count: executions, data, metadata: {} })
  return { status: 'ok', execution_count: executions, payload: [], user_expressions: {} }
}

async function serve(socket) {
  for await (const frames of socket) {
    const request = messages.decode(frames)
    const handler = request && handlers[request.header.msg_type]
    if (!handler) continue
    const type = request.header.msg_type
    if (socket === shell) current = request
    await publish('status', { execution_state: 'busy' }, request)
    const content = await handler(request)
    await socket.send(messages.encode(type.replace('_request', '_reply'), content, request, request.from))
    await publish('status', { execution_state: 'idle' }, request)
    if (type === 'shutdown_request') process.exit()
  }
}

async function echo() {
  for await (const frames of heartbeat) await heartbeat.send(frames)
}

void serve(control)
void echo()
await serve(shell)
