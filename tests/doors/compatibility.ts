import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

const suites = ['functional', 'security'].map((suite) => path.join(import.meta.dirname, '..', suite))

/** The columns of the table. */
const clients = ['e2b (npm)', 'novita-sandbox (npm)', 'e2b (PyPI)', 'novita-sandbox (PyPI)'] as const
type Client = (typeof clients)[number]
const [e2b, novita, e2bPython, novitaPython] = clients

/** The rows: every call into a sandbox that the SDKs share, by its name in JavaScript, and those that one family has alone. */
const calls: Readonly<Record<string, readonly string[]>> = {
  Sandbox:
    'create connect list getInfo isRunning setTimeout pause kill getMetrics createSnapshot listSnapshots deleteSnapshot fork clone reset updateNetwork getHost uploadUrl downloadUrl'.split(
      ' ',
    ),
  commands: 'run connect list sendStdin closeStdin kill'.split(' '),
  handle: 'wait kill disconnect'.split(' '),
  files: 'read write writeFiles list exists getInfo makeDir rename remove watchDir'.split(' '),
  pty: 'create connect sendInput resize kill'.split(' '),
  Template: 'build buildInBackground getBuildStatus exists assignTags removeTags getTags get'.split(' '),
  git: 'init clone status branches createBranch checkoutBranch deleteBranch add commit reset restore push pull remoteAdd remoteGet setConfig getConfig configureUser dangerouslyAuthenticate'.split(
    ' ',
  ),
}

/** What the builder of a template writes; by its name in JavaScript. */
const steps =
  'fromTemplate fromBaseImage fromImage fromDockerfile fromAWSRegistry fromGCPRegistry runCmd copy copyItems remove rename makeDir makeSymlink gitClone setUser setWorkdir setEnvs setStartCmd setReadyCmd skipCache'.split(
    ' ',
  )

/** What a family does not have: nothing to be tested. */
const missing: Readonly<Record<string, readonly Client[]>> = {
  'Sandbox.fork': [novita, novitaPython],
  'Sandbox.clone': [e2b, e2bPython],
  'Sandbox.reset': [e2b, e2bPython],
  'commands.closeStdin': [novitaPython],
  'Template.get': [e2b, e2bPython, novitaPython],
}

/** The same call under another name. */
const synonyms: Readonly<Record<string, string>> = {
  'Sandbox.betaPause': 'Sandbox.pause',
  'Sandbox.setNetwork': 'Sandbox.updateNetwork',
  'pty.sendStdin': 'pty.sendInput',
}

/** Each test with what follows it, and what stands before the first one; in Python, what stands at the top by itself. */
const testsOf = (file: string, text: string): string[] =>
  file.endsWith('.py') ? text.split('\n\n\n') : text.split(/(?=^ *test(?:\.each)?\()/m)

/** By whom the calls of a test are made: it says so by the classes that it names, or it is told by both of its language. */
function tellers(file: string, test: string): readonly Client[] {
  if (file.endsWith('.py')) {
    if (/skipif\(not is_novita/.test(test)) return [novitaPython]
    return /skipif\(is_novita/.test(test) ? [e2bPython] : [e2bPython, novitaPython]
  }
  const named = [/\b(?<!Novita)Sandbox[.)]/.test(test) && e2b, test.includes('NovitaSandbox') && novita].filter((name) => name !== false)
  if (named.length > 0) return named.length === 1 ? named : []
  return /\btold\(\)|\btelling\b|\bsdk\b|\bAnySandbox\b/.test(test) ? [e2b, novita] : []
}

const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())

/** The calls in a test, each with those who make it. */
function* callsIn(file: string, test: string): Generator<readonly [call: string, by: readonly Client[]]> {
  const by = tellers(file, test)
  for (const [, part = '', name = ''] of test.matchAll(/\b(commands|files|pty|git|handle)\.(\w+)\(/g)) yield [`${part}.${camel(name)}`, by]
  for (const [, name = ''] of test.matchAll(/(?:sandbox|sdk|parent|made)(?:\(\))?\.(?:Sandbox\.)?(\w+)\(/g))
    yield [`Sandbox.${camel(name)}`, by]
  for (const [, name = ''] of test.matchAll(/\bsdk\.Template\.(\w+)\(/g)) yield [`Template.${camel(name)}`, by]
  if (test.includes('Template(')) for (const step of stepsIn(test)) yield [`Template().${step}`, by]
  if (file.endsWith('.py')) return
  // Whose class it is needs no guess.
  for (const [, family, part = '', name = ''] of test.matchAll(/(?<!sdk\.)\b(Novita|novita\.)?(Sandbox|Template)\.(\w+)\(/g))
    yield [`${part}.${name}`, [family ? novita : e2b]]
}

const stepsIn = (test: string): string[] =>
  [...test.matchAll(/\.(\w+)\(/g)]
    .map(([, name = '']) => camel(name).replace('Aws', 'AWS').replace('Gcp', 'GCP'))
    .filter((name) => steps.includes(name))

const filesOf = (suite: string): string[] =>
  readdirSync(suite, { recursive: true, encoding: 'utf8' })
    // The guides' examples are one family's.
    .filter((name) => /\.(ts|py)$/.test(name) && !name.startsWith('guides'))
    .map((name) => path.join(suite, name))

/** Who makes each call in a test on the real engine. */
export function proven(): ReadonlyMap<string, ReadonlySet<Client>> {
  const found = new Map<string, Set<Client>>()
  for (const file of suites.flatMap(filesOf)) {
    for (const test of testsOf(file, readFileSync(file, 'utf8'))) {
      for (const [call, by] of callsIn(file, test)) {
        const name = synonyms[call] ?? call
        found.set(name, new Set([...(found.get(name) ?? []), ...by]))
      }
    }
  }
  return found
}

/** A Markdown table of call × client. */
export function compatibilityTable(): string {
  const found = proven()
  const cell = (call: string, client: Client): string => {
    if (missing[call]?.includes(client)) return '–'
    return found.get(call)?.has(client) ? '✓' : ''
  }
  const row = (call: string): string => `| \`${call}\` | ${clients.map((client) => cell(call, client)).join(' | ')} |`
  const rows = [
    ...Object.entries(calls).flatMap(([part, names]) => names.map((name) => row(`${part}.${name}`))),
    ...steps.map((step) => row(`Template().${step}`)),
  ]
  return [`| call | ${clients.join(' | ')} |`, '|---|:-:|:-:|:-:|:-:|', ...rows].join('\n')
}
