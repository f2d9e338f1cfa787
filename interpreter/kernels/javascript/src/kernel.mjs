/**
 * Jupyter kernel for JavaScript and TypeScript: `node kernel.mjs CONNECTION_FILE`.
 *
 * The user's code has this thread for itself. A worker speaks with the clients: so code that never yields can be interrupted,
 * and its output is seen while it runs. Cells are evaluated by V8's inspector, as in a browser's console.
 */
import { Worker } from 'node:worker_threads'

import { useFreshEntropy } from './entropy.mjs'
import { evaluateFor } from './evaluator.mjs'
import { furnish } from './realm.mjs'

useFreshEntropy()
const worker = new Worker(new URL('session.mjs', import.meta.url), { argv: process.argv.slice(2), stdout: true, stderr: true })
worker.on('error', (error) => {
  process.stderr.write(`the kernel's session ended: ${error.stack}\n`)
  process.exit(1)
})
worker.on('exit', () => process.exit())
furnish(worker)
evaluateFor(worker)
