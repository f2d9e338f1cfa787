import { glob } from 'node:fs/promises'
import path from 'node:path'

import { type ICruiseResult, cruise } from 'dependency-cruiser'

import { environmentReads } from './environment-reads.ts'
import { rules } from './rules.ts'

export interface Findings {
  /** Modules of ours that were looked at. */
  readonly modules: number
  readonly dependencies: number
  /** One line each. */
  readonly violations: readonly string[]
}

/** Looks through every door below `root`. A checker that saw less than there is has found nothing out: that is a violation. */
export async function checkDoors(root: string): Promise<Findings> {
  const files = await sourceFiles(root)
  const { modules, summary } = await dependenciesOf(root)
  const own = modules.filter(({ source }) => !source.includes('node_modules/') && source.endsWith('.ts'))
  const violations = [
    ...summary.violations.map(({ rule, from, to, cycle }) => `${rule.name}: ${from} → ${cycle?.map(({ name }) => name).join(' → ') ?? to}`),
    ...(await environmentReads(root, files)).map((place) => `environment-in-one-file: ${place}`),
    ...unseen(
      files,
      own.map(({ source }) => source),
    ),
  ]
  return { modules: own.length, dependencies: own.reduce((sum, { dependencies }) => sum + dependencies.length, 0), violations }
}

/** A violation for every file that is not among the modules, and one for an empty tree. */
export function unseen(files: readonly string[], modules: readonly string[]): string[] {
  if (files.length === 0) return ['everything-seen: there are no modules under packages/*/src']
  const seen = new Set(modules)
  return files.filter((file) => !seen.has(file)).map((file) => `everything-seen: ${file} was not looked at`)
}

async function sourceFiles(root: string): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob('packages/*/src/**/*.ts', { cwd: root })) files.push(file.split(path.sep).join('/'))
  return files.sort()
}

async function dependenciesOf(root: string): Promise<ICruiseResult> {
  const { output } = await cruise(
    ['packages', 'tests'],
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: [...rules] },
      doNotFollow: { path: 'node_modules' },
      // Types count: a cycle of types is a cycle of thought.
      tsPreCompilationDeps: true,
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts'],
    },
  )
  if (typeof output === 'string') throw new Error(`dependency-cruiser answered a text: ${output}`)
  return output
}
