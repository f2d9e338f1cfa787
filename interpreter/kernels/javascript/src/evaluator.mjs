/** In the main thread: evaluates cells for the session, as the console of a browser does. */
import { Session } from 'node:inspector/promises'

const render = 'function (value) { return globalThis[Symbol.for("torpor.render")](value) }'
const describe = 'function (error) { return { ename: String(error.name), evalue: String(error.message), stack: String(error.stack) } }'
const unshowable = { 'text/plain': '[object that cannot be shown]', ename: 'Error', evalue: '', stack: '' }

/**
 * Answers `{ evaluate, id }` with `{ evaluated: { data } | { error }, id }`, data by mime type and empty for undefined; and
 * `{ ping }` with `{ pong }`, which comes from the event loop: not before running code yields to it.
 */
export function evaluateFor(session) {
  const inspector = new Session()
  inspector.connect()
  session.on('message', ({ evaluate, id, ping }) => {
    if (ping !== undefined) session.postMessage({ pong: ping })
    else void run(inspector, evaluate).then((evaluated) => session.postMessage({ evaluated, id }))
  })
}

async function run(inspector, expression) {
  const objectGroup = 'cell'
  try {
    const { result, exceptionDetails } = await inspector.post('Runtime.evaluate', {
      expression,
      objectGroup,
      replMode: true,
      awaitPromise: true,
    })
    if (exceptionDetails) return { error: await errorOf(inspector, exceptionDetails) }
    return { data: result.type === 'undefined' ? {} : await call(inspector, render, argumentOf(result)) }
  } catch {
    // What a termination leaves behind.
    return { error: { ename: 'Interrupted', evalue: 'The execution was interrupted', traceback: [] } }
  } finally {
    await inspector.post('Runtime.releaseObjectGroup', { objectGroup }).catch(() => undefined)
  }
}

const argumentOf = ({ objectId, unserializableValue, value }) => {
  if (objectId) return { objectId }
  return unserializableValue ? { unserializableValue } : { value }
}

async function errorOf(inspector, { exception, text }) {
  if (exception?.subtype !== 'error') {
    const shown = exception ? (await call(inspector, render, argumentOf(exception)))['text/plain'] : text
    return { ename: 'Error', evalue: shown, traceback: [`Uncaught ${shown}`] }
  }
  const { ename, evalue, stack } = await call(inspector, describe, { objectId: exception.objectId })
  // Below the cell's own frames are those of the kernel.
  return { ename, evalue, traceback: stack.split('\n').filter((line) => !/node:internal\/|javascript\/src\/\w+\.mjs/.test(line)) }
}

async function call(inspector, functionDeclaration, argument) {
  const scope = await inspector.post('Runtime.evaluate', { expression: 'globalThis', objectGroup: 'cell' })
  const called = { functionDeclaration, objectId: scope.result.objectId, arguments: [argument], returnByValue: true }
  const { result, exceptionDetails } = await inspector.post('Runtime.callFunctionOn', called)
  return exceptionDetails ? unshowable : result.value
}
