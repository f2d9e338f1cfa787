import process from 'node:process'

import { type Config, loadConfig } from '@torpor/server/config'

import type { Check, Found } from './check.ts'
import { checks } from './checks.ts'
import { describeVolume, volumeOf } from './volume.ts'

/** What a check found. */
export interface Finding extends Pick<Check, 'name' | 'severity' | 'breaks' | 'mend'> {
  readonly found: string
}

/** Runs every check; the exit code is 1 when something keeps Torpor from working. */
export async function doctor(options: { readonly json: boolean }): Promise<void> {
  const config = loadConfig()
  // A look that fails is a finding of the checks.
  const [findings, volume] = await Promise.all([examine(config, checks), volumeOf(config).catch(() => undefined)])
  process.stdout.write(options.json ? `${JSON.stringify({ findings, volume: volume ?? null }, null, 2)}\n` : describe(findings))
  if (volume && !options.json) process.stdout.write(`volume: ${describeVolume(volume)}\n`)
  if (findings.some(({ severity }) => severity === 'error')) process.exitCode = 1
}

/** The findings, in the order of the checks; a check that fails is a finding too. */
export async function examine(config: Config, list: readonly Check[]): Promise<Finding[]> {
  const all = await Promise.all(
    list.map(async (check): Promise<Finding[]> => {
      const found = await ask(check, config)
      const { name, severity, breaks, mend } = check
      if (found === undefined) return []
      return [{ name, severity, breaks, ...(typeof found === 'string' ? { found, mend } : found) }]
    }),
  )
  return all.flat()
}

async function ask(check: Check, config: Config): Promise<Found | undefined> {
  try {
    return await check.find(config)
  } catch (error) {
    return `could not be checked: ${error instanceof Error ? error.message : String(error)}`
  }
}

function describe(findings: readonly Finding[]): string {
  if (findings.length === 0) return `all ${checks.length} checks passed\n`
  return findings
    .map(({ name, severity, found, breaks, mend }) => `${severity}: ${name}: ${found}\n  breaks: ${breaks}\n  mend: ${mend}\n`)
    .join('')
}
