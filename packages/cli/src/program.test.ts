import { execFile } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'

import { buildProgram } from './program.ts'
import { version } from './version.ts'

interface Ending {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(file: string, ...args: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', path.join(import.meta.dirname, file), ...args],
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
      },
    )
  })
}

const leaves = (command: Command): Command[] => (command.commands.length === 0 ? [command] : command.commands.flatMap(leaves))

describe('the command line', () => {
  it('tells its version, also under its second name', async () => {
    expect(await run('main.ts', '--version')).toEqual({ code: 0, stdout: `${version()}\n`, stderr: '' })
    expect((await run('novita.ts', '--version')).stdout).toBe(`${version()}\n`)
  })

  it('ends with 2 for what it does not understand, saying so on standard error', async () => {
    for (const args of [
      ['nonsense'],
      ['sandbox', 'exec'],
      ['sandbox', 'clone', 'i', '-c', '0'],
      ['sandbox', 'url', 'i', '70000'],
      ['sandbox', 'create', '-m', 'x'],
    ]) {
      expect(await run('main.ts', ...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^error: /) })
    }
  })

  it('ends quietly when nobody reads its output any more', async () => {
    const command = `'${process.execPath}' --disable-warning=ExperimentalWarning ${path.join(import.meta.dirname, 'main.ts')} config | true; echo \${PIPESTATUS[0]}`
    const ended = await new Promise(
      (resolve) => void execFile('bash', ['-c', command], (_error, stdout, stderr) => resolve({ stdout, stderr })),
    )
    expect(ended).toEqual({ stdout: expect.stringMatching(/^(0|141)\n$/), stderr: '' })
  })

  it('helps with 0 on standard output', async () => {
    expect(await run('main.ts', 'sandbox', 'exec', '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Examples:'),
      stderr: '',
    })
  })

  it('every command says what it does, and those that print values can print JSON', () => {
    const silent = new Set([
      'up',
      'down',
      'env',
      'install',
      'uninstall',
      'connect',
      'completion',
      'complete',
      'test',
      'bench',
      'dev',
      'init',
      'build',
    ])
    const commands = leaves(buildProgram('torpor')).filter((command) => command.name() !== 'complete')
    expect(commands.filter((command) => command.description() === '').map((command) => command.name())).toEqual([])
    const speaking = commands.filter((command) => !silent.has(command.name()))
    expect(speaking.filter(({ options }) => !options.some(({ long }) => long === '--json')).map((command) => command.name())).toEqual([])
  })

  it('completes commands and the values of options', async () => {
    expect((await run('main.ts', 'complete', '--', 'sandbox', 'pa')).stdout).toMatch(/^pause\t/)
    expect((await run('main.ts', 'complete', '--', 'sandbox', 'create', '--on-timeout', '')).stdout).toMatch(/^kill\b/)
    expect((await run('novita.ts', 'completion', 'bash')).stdout).toContain('novita-sandbox-cli')
  })
})

it('the second name has the documented grammar of novita-sandbox-cli', () => {
  const names = (command: Command | undefined): string[] => command?.commands.map((child) => child.name()) ?? []
  const program = buildProgram('novita-sandbox-cli')
  const noun = (name: string) => program.commands.find((command) => command.name() === name)
  expect(names(noun('sandbox'))).toEqual(expect.arrayContaining(['metrics', 'logs', 'clone', 'list', 'create', 'connect', 'kill']))
  expect(names(noun('template'))).toEqual(expect.arrayContaining(['build', 'list', 'delete']))
  const clone = noun('sandbox')?.commands.find((command) => command.name() === 'clone')
  expect(clone?.options.map(({ short }) => short)).toEqual(expect.arrayContaining(['-c', '-s', '-t']))
  expect(program.commands.map((command) => command.name())).not.toContain('up')
})

it.each([
  [['-s'], true],
  [['-s', 'true', '-t', '60'], true],
  [['-s', 'false'], false],
  [[], undefined],
])('its clone is strict with %j: %s', async (args, strict) => {
  const program = buildProgram('novita-sandbox-cli')
  const clone = program.commands.find((command) => command.name() === 'sandbox')?.commands.find((command) => command.name() === 'clone')
  clone?.action(() => undefined)
  await program.parseAsync(['sandbox', 'clone', 'i1', '-c', '2', ...args], { from: 'user' })
  expect(clone?.opts()).toMatchObject({ count: 2, ...(strict !== undefined && { strict }) })
})
