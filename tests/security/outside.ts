import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type OutsideMachine, addOutsideMachine } from '@torpor/testkit'

export interface Outside extends OutsideMachine {
  /** The names that were looked up so far. */
  readonly lookedUp: readonly string[]
  close(): Promise<void>
}

/** A machine outside that serves what programs/outside.ts has, and knows these names. */
export async function openOutside(names: (machine: OutsideMachine) => Readonly<Record<string, string>> = () => ({})): Promise<Outside> {
  const directory = await mkdtemp(path.join(tmpdir(), 'torpor-outside-'))
  const [certificate, key] = [path.join(directory, 'certificate.pem'), path.join(directory, 'key.pem')]
  const kind = ['-subj', '/CN=outside', '-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  const machine = addOutsideMachine()
  const program = [path.join(import.meta.dirname, 'programs', 'outside.ts'), certificate, key, JSON.stringify(names(machine))]
  const server = spawn('ip', ['netns', 'exec', machine.namespace, process.execPath, ...program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lookedUp: string[] = []
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    lookedUp.push(...[...text.matchAll(/^look-up (.*)$/gm)].map((match) => match[1] ?? ''))
  })
  await once(server.stdout, 'data')
  return {
    ...machine,
    lookedUp,
    close: async () => {
      server.kill('SIGKILL')
      await once(server, 'close')
      machine.remove()
      await rm(directory, { recursive: true })
    },
  }
}
