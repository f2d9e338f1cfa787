/**
 * Runs code with `novita-sandbox/code-interpreter`, which speaks to the interpreter by host name and TLS only, and prints what it
 * saw. Its argument is the template.
 */
import { Sandbox } from 'novita-sandbox/code-interpreter'

const sandbox = await Sandbox.create(process.argv[2] ?? '', { timeoutMs: 120_000, envs: { GLOBAL: 'everywhere' } })
try {
  await sandbox.runCode('x = 41')
  const { text } = await sandbox.runCode('x + 1')
  const context = await sandbox.createCodeContext({ cwd: '/tmp' })
  const { logs } = await sandbox.runCode('import os; print(os.getcwd(), os.environ["GLOBAL"])', { context })
  const { error } = await sandbox.runCode('1 / 0')
  process.stdout.write(JSON.stringify({ text, logs, error: error?.name }))
} finally {
  await sandbox.kill()
}
