import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, expect, it } from 'vitest'

import { type Findings, checkDoors, unseen } from './doors.ts'
import { readsOf } from './environment-reads.ts'
import { rules } from './rules.ts'

const names =
  'contract core engine-gvisor engine-fake store-sqlite image-store oci-images dockerfile agent-client control-api edge setup volume server cli testkit'.split(
    ' ',
  )
const roots: string[] = []

afterEach(() => Promise.all(roots.splice(0).map((root) => rm(root, { recursive: true }))))

/** A small tree with every room, a few allowed ways, and the planted files. */
async function planted(files: Readonly<Record<string, string>>): Promise<Findings> {
  const root = await mkdtemp(path.join(tmpdir(), 'torpor-doors-'))
  roots.push(root)
  await mkdir(path.join(root, 'tests'))
  await mkdir(path.join(root, 'node_modules', '@torpor'), { recursive: true })
  await symlink(path.join(import.meta.dirname, '..', '..', 'node_modules', 'zod'), path.join(root, 'node_modules', 'zod'))
  for (const name of names) {
    await write(root, `packages/${name}/package.json`, JSON.stringify({ name: `@torpor/${name}`, exports: { '.': './src/index.ts' } }))
    await symlink(`../../packages/${name}`, path.join(root, 'node_modules', '@torpor', name))
  }
  const all = { ...innocent, ...files }
  await Promise.all(Object.entries(all).map(([file, source]) => write(root, file, source)))
  return checkDoors(root)
}

async function write(root: string, file: string, source: string): Promise<void> {
  await mkdir(path.join(root, path.dirname(file)), { recursive: true })
  await writeFile(path.join(root, file), source)
}

const innocent: Readonly<Record<string, string>> = {
  ...Object.fromEntries(names.map((name) => [`packages/${name}/src/index.ts`, 'export const here = 1\n'])),
  'packages/contract/src/schema.ts': "import { z } from 'zod'\nexport const schema = z.string()\n",
  'packages/core/src/domain/decide.ts': "import { here } from '@torpor/contract'\nexport const decide = here\n",
  'packages/core/src/ports/port.ts': "import type { decide } from '../domain/decide.ts'\nexport type Port = typeof decide\n",
  'packages/core/src/app/act.ts': "import type { Port } from '../ports/port.ts'\nexport const act = (port: Port) => port\n",
  'packages/core/src/reconcilers/loop.ts': "import { act } from '../app/act.ts'\nexport const loop = act\n",
  'packages/store-sqlite/src/store.ts': "import { here } from '@torpor/core'\nimport 'node:sqlite'\nexport const store = here\n",
  'packages/setup/src/run-command.ts': "import { spawn } from 'node:child_process'\nexport const run = spawn\n",
  'packages/server/src/compose.ts': "import { here } from '@torpor/store-sqlite'\nimport '@torpor/edge'\nexport const composed = here\n",
  'packages/server/src/config/env.ts': 'export const environment = process.env\n',
  'packages/core/src/testing/world.ts': "import { here } from '@torpor/engine-fake'\nimport 'node:fs'\nexport const world = here\n",
  'packages/core/src/act.test.ts': "import { here } from '@torpor/engine-fake'\nimport 'node:fs'\nexport const tested = here\n",
}

const file = (name: string, specifier: string): Record<string, string> => ({ [name]: `import '${specifier}'\n` })

/** One planted violation per rule. */
const plants: Readonly<Record<string, Record<string, string>>> = {
  'contract-imports-nothing': file('packages/contract/src/planted.ts', 'node:crypto'),
  'domain-is-pure': file('packages/core/src/domain/planted.ts', '../ports/port.ts'),
  'ports-see-domain': file('packages/core/src/ports/planted.ts', '../app/act.ts'),
  'app-sees-ports': file('packages/core/src/app/planted.ts', 'node:fs/promises'),
  'reconcilers-see-app': file('packages/core/src/reconcilers/planted.ts', 'node:net'),
  'core-sees-contract': file('packages/core/src/planted.ts', '@torpor/store-sqlite'),
  'adapters-see-core': file('packages/image-store/src/planted.ts', '@torpor/store-sqlite'),
  'control-api-sees-core': file('packages/control-api/src/planted.ts', '@torpor/edge'),
  'edge-sees-contract': file('packages/edge/src/planted.ts', '@torpor/core'),
  'file-system-imports-nothing': file('packages/file-system/src/planted.ts', 'zod'),
  'setup-sees-core': file('packages/setup/src/planted.ts', '@torpor/server'),
  'volume-sees-setup': file('packages/volume/src/planted.ts', '@torpor/core'),
  'cli-sees-server': file('packages/cli/src/planted.ts', '@torpor/core'),
  'only-server-composes': file('packages/cli/src/planted.ts', '@torpor/engine-gvisor'),
  'server-is-the-top': file('packages/server/src/planted.ts', '@torpor/testkit'),
  'child-processes-in-one-file': file('packages/setup/src/planted.ts', 'node:child_process'),
  'rooms-have-front-doors': file('packages/server/src/planted.ts', '../../store-sqlite/src/store.ts'),
  'no-cycles': {
    'packages/edge/src/one.ts': "import type { Two } from './two.ts'\nexport type One = Two | 1\n",
    'packages/edge/src/two.ts': "import type { One } from './one.ts'\nexport type Two = One | 2\n",
  },
  'nothing-unresolved': file('packages/edge/src/planted.ts', './nowhere.ts'),
  'environment-in-one-file': { 'packages/server/src/planted.ts': "export const home = process.env['HOME']\n" },
}

it('finds nothing in a tree that keeps the rules', async () => {
  const { violations, modules, dependencies } = await planted({})
  expect(violations).toEqual([])
  expect(modules).toBe(Object.keys(innocent).length)
  expect(dependencies).toBeGreaterThan(10)
})

it.each(Object.entries(plants))('finds a planted violation of %s', async (rule, files) => {
  const { violations } = await planted(files)
  expect(violations.filter((violation) => violation.startsWith(`${rule}: ${Object.keys(files)[0]}`))).not.toEqual([])
})

it('has a planted violation for every rule', () => {
  expect(Object.keys(plants)).toEqual(expect.arrayContaining(rules.map(({ name }) => name)))
})

it.each([
  ['a domain that imports a package', file('packages/core/src/domain/planted.ts', 'zod')],
  ['a use case that imports an adapter', file('packages/core/src/app/planted.ts', '@torpor/engine-gvisor')],
  ['a type of an adapter in core', { 'packages/core/src/app/planted.ts': "export type { here } from '@torpor/store-sqlite'\n" }],
  ['a dynamic import', { 'packages/core/src/app/planted.ts': "export const late = () => import('@torpor/store-sqlite')\n" }],
  ['a program started without the node: prefix', file('packages/server/src/planted.ts', 'child_process')],
  ['the world of the tests in what is served', file('packages/core/src/planted.ts', './testing/world.ts')],
  ['an adapter that imports the server', file('packages/engine-fake/src/planted.ts', '@torpor/server')],
])('finds %s', async (_what, files) => {
  expect((await planted(files)).violations).not.toEqual([])
})

it('fails when it saw fewer modules than there are files', () => {
  expect(unseen(['packages/a/src/x.ts', 'packages/a/src/y.ts'], ['packages/a/src/x.ts'])).toEqual([
    'everything-seen: packages/a/src/y.ts was not looked at',
  ])
  expect(unseen([], [])).toHaveLength(1)
})

it.each([
  ['process.env', [1]],
  ["\nprocess['env']", [2]],
  ['globalThis.process.env', [1]],
  ["import { env } from 'node:process'", [1]],
  ["import { env as variables } from 'process'", [1]],
  ['const { env } = process', [1]],
  ["import { env } from './env.ts'", []],
  ['// process.env\nconst environment = options.env', []],
])('tells a read of the environment in %j', (source, lines) => {
  expect(readsOf(source)).toEqual(lines)
})

it('finds nothing in this repository', async () => {
  expect((await checkDoors(path.join(import.meta.dirname, '..', '..'))).violations).toEqual([])
})
