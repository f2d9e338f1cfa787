/** What the user's code finds around it, and what the session asks this thread for. */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'

/** Names under which the session finds its own functions; users do not meet them by accident. */
const own = (name, value) => Object.defineProperty(globalThis, Symbol.for(`torpor.${name}`), { value })

/** Prepares the global scope. Output goes to `session`, a worker, at once. */
export function furnish(session) {
  captureOutput(session)
  keepRunning()
  own('import', importFrom)
  own('render', render)
  own('keep', keep)
  own('keepEach', keepEach)
  const visible = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
  visible('require', createRequire(here()))
  const display = (value) => session.postMessage({ display: render(value) })
  visible('display', display)
  visible('$$', displayHelpers(session))
  syncBuiltinESMExports()
}

const here = () => pathToFileURL(path.join(process.cwd(), 'cell'))

/** `import` of a cell: relative to the working directory, as a file there would have it. */
function importFrom(specifier, options) {
  const text = String(specifier)
  if (/^\.{0,2}\//.test(text)) return import(new URL(text, here()), options)
  if (/^[a-z][a-z+.-]*:/.test(text)) return import(text, options)
  try {
    const found = createRequire(here()).resolve(text)
    return import(path.isAbsolute(found) ? pathToFileURL(found) : found, options)
  } catch {
    return import(text, options)
  }
}

/** What cells wait for; what never comes stays. */
const awaited = new Set()

/** To be awaited in the place of `value`, which is held meanwhile. */
function keep(value) {
  const promise = Promise.resolve(value)
  const forget = () => awaited.delete(promise)
  awaited.add(promise)
  promise.then(forget, forget)
  return promise
}

/** To be gone through by `for await` in the place of `iterable`. */
function keepEach(iterable) {
  const asynchronous = iterable[Symbol.asyncIterator]?.()
  if (asynchronous) return iterating(asynchronous, keep)
  const settled = async ({ done, value }) => ({ done, value: await value })
  return iterating(iterable[Symbol.iterator](), (step) => keep(settled(step)))
}

const iterating = (iterator, step) => ({
  [Symbol.asyncIterator]: () => ({
    next: (...given) => step(iterator.next(...given)),
    ...(iterator.return && { return: (...given) => step(iterator.return(...given)) }),
  }),
})

function captureOutput(session) {
  for (const name of ['stdout', 'stderr']) {
    process[name].write = (chunk, encoding, callback) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
      session.postMessage({ stream: name, text })
      const done = typeof encoding === 'function' ? encoding : callback
      if (done) process.nextTick(done)
      return true
    }
  }
}

/** Errors of callbacks end no kernel: they are told, as a browser's console does. */
function keepRunning() {
  const tell = (error) => process.stderr.write(`Uncaught ${inspect(error)}\n`)
  process.on('uncaughtException', tell)
  process.on('unhandledRejection', tell)
}

const methods = {
  _toHtml: 'text/html',
  _toSvg: 'image/svg+xml',
  _toPng: 'image/png',
  _toJpeg: 'image/jpeg',
  _toMarkdown: 'text/markdown',
}

/** A value by mime type. Objects may say themselves how they look, in the ways of Deno and IJavascript. */
function render(value) {
  const data = { 'text/plain': inspect(value) }
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return data
  try {
    if (typeof value[Symbol.for('Jupyter.display')] === 'function') Object.assign(data, value[Symbol.for('Jupyter.display')]())
    if (typeof value._toMime === 'function') Object.assign(data, value._toMime())
    for (const [method, mime] of Object.entries(methods)) if (typeof value[method] === 'function') data[mime] = String(value[method]())
    return JSON.parse(JSON.stringify(data))
  } catch {
    return { 'text/plain': data['text/plain'] }
  }
}

const displayHelpers = (session) => {
  const show = (mime) => (value) => session.postMessage({ display: { [mime]: String(value) } })
  return {
    html: show('text/html'),
    svg: show('image/svg+xml'),
    png: show('image/png'),
    jpeg: show('image/jpeg'),
    mime: (data) => session.postMessage({ display: structuredClone(data) }),
  }
}
