/**
 * What the first lines of both SDKs can do, told by the domain alone: run as a program of its own, since Node reads the
 * authorities it trusts when it starts. Prints one JSON line.
 * @example node legacy.ts novita-sandbox-1
 */
import { argv, stdout } from 'node:process'

interface LegacySandbox {
  readonly sandboxId: string
  readonly commands: { run(command: string): Promise<{ stdout: string }> }
  readonly files: { write(path: string, data: string): Promise<unknown>; read(path: string): Promise<string> }
  getHost(port: number): string
  kill(): Promise<unknown>
}

interface LegacySdk {
  readonly Sandbox: { create(): Promise<LegacySandbox>; connect(id: string): Promise<LegacySandbox> }
}

const { Sandbox }: LegacySdk = await import(argv[2] ?? '')
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
