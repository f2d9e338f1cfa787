/**
 * One short life of a sandbox with a real SDK of any version, which knows the domain only. Prints one JSON line.
 * @example node by-domain.ts novita-sandbox-1
 */
import { argv, stdout } from 'node:process'

interface AnySandbox {
  readonly sandboxId: string
  readonly commands: { run(command: string): Promise<{ stdout: string }> }
  readonly files: { write(path: string, data: string): Promise<unknown>; read(path: string): Promise<string> }
  getHost(port: number): string
  kill(): Promise<unknown>
}

interface AnySdk {
  readonly Sandbox: { create(): Promise<AnySandbox>; connect(id: string): Promise<AnySandbox> }
}

const { Sandbox }: AnySdk = await import(argv[2] ?? '')
const sandbox = await Sandbox.create()
try {
  const { stdout: printed } = await sandbox.commands.run('echo "hello from $(whoami)"')
  await sandbox.files.write('note.txt', 'written')
  const again = await Sandbox.connect(sandbox.sandboxId)
  const read = await again.files.read('note.txt')
  stdout.write(`${JSON.stringify({ printed, read, host: sandbox.getHost(3000) })}\n`)
} finally {
  await sandbox.kill()
}
