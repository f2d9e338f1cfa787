import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

import { loadConfig, processEnvironment } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'

import { runProgram } from '../processes.ts'
import { servingServer } from '../server/server-record.ts'
import { sourceDirectory } from '../version.ts'
import { settingsText, unitFile } from './unit.ts'

export interface InstallFlags {
  /** Where units are; another place than systemd's own is written to and nothing more. */
  readonly unitDirectory: string
  readonly settingsFile: string
  readonly now?: boolean
}

const unitName = 'torpor.service'

/** Writes unit and settings, and enables the service where systemd runs. Done twice it changes nothing. */
export async function install(flags: InstallFlags): Promise<void> {
  const config = loadConfig()
  const settingsFile = path.resolve(flags.settingsFile)
  const unit = path.join(path.resolve(flags.unitDirectory), unitName)
  keepSettings(settingsFile)
  put(unit, unitFile({ clone: sourceDirectory, node: process.execPath, settingsFile }), 0o644)
  if (!managed(flags)) {
    process.stdout.write(`systemd does not run here: where it does, \`systemctl daemon-reload && systemctl enable --now torpor\`\n`)
    return
  }
  await systemctl('daemon-reload')
  await systemctl('enable', unitName)
  const serving = await servingServer(config.dataDirectory)
  if (flags.now === true && serving === undefined) await systemctl('start', unitName)
  process.stdout.write(
    serving === undefined ? advice(flags.now) : 'a server runs already: `./torpor down && systemctl start torpor` hands it over\n',
  )
}

const advice = (started: boolean | undefined): string =>
  started === true ? 'it serves as soon as `systemctl status torpor` says so\n' : 'start it: systemctl start torpor\n'

/** Takes back what `install` wrote; settings and data stay, sandboxes go on. */
export async function uninstall(flags: InstallFlags): Promise<void> {
  const unit = path.join(path.resolve(flags.unitDirectory), unitName)
  if (!existsSync(unit)) {
    process.stdout.write('torpor is not installed\n')
    return
  }
  if (managed(flags)) await systemctl('disable', '--now', unitName)
  rmSync(unit)
  if (managed(flags)) await systemctl('daemon-reload')
  process.stdout.write(`removed ${unit}; settings stay in ${path.resolve(flags.settingsFile)}\n`)
}

/** Only units in systemd's own directory are its business. */
const managed = ({ unitDirectory }: InstallFlags): boolean => unitDirectory === '/etc/systemd/system' && existsSync('/run/systemd/system')

/** What is given now replaces what was kept; with nothing given, what was kept stays. The API key may be among it. */
function keepSettings(file: string): void {
  const given = Object.entries(processEnvironment()).flatMap(([name, value]): [string, string][] =>
    name.startsWith('TORPOR_') && value !== undefined ? [[name, value]] : [],
  )
  if (given.length === 0 && existsSync(file)) {
    process.stdout.write(`kept ${file}\n`)
    return
  }
  for (const [name, value] of given) {
    if (/[\n\r]/.test(value)) throw new SetupProblem(`${name} has more than one line`, { mend: 'systemd reads settings line by line' })
  }
  put(file, settingsText(Object.fromEntries(given)), 0o600)
}

/** All or nothing, for its owner's eyes from the first byte on. */
function put(file: string, text: string, mode: number): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) {
    chmodSync(file, mode)
    process.stdout.write(`unchanged ${file}\n`)
    return
  }
  mkdirSync(path.dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text, { mode })
  renameSync(draft, file)
  process.stdout.write(`wrote ${file}\n`)
}

async function systemctl(...args: string[]): Promise<void> {
  const exitCode = await runProgram('systemctl', args)
  if (exitCode !== 0) throw new SetupProblem(`systemctl ${args.join(' ')} failed`, { mend: 'journalctl -u torpor' })
}
