import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld, sourceDirectory } from '@torpor/testkit'
import { Sandbox, Template } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
let world: TestWorld
let context: string

beforeAll(async () => {
  world = await bootWorld()
  Object.assign(process.env, world.env)
  context = mkdtempSync(path.join(tmpdir(), 'torpor-dockerfile-'))
})
afterAll(async () => {
  await world?.close()
  rmSync(context, { recursive: true, force: true })
})

/** `torpor template build` of a Dockerfile; what it said on standard error. */
async function build(name: string, dockerfile: string, ...more: readonly string[]): Promise<string> {
  writeFileSync(path.join(context, 'Dockerfile'), dockerfile)
  const command = path.join(sourceDirectory, 'torpor')
  const options = { env: { ...process.env, ...world.env }, timeout: 120_000 }
  const { stderr } = await run(command, ['template', 'build', name, '--path', context, '--memory-mb', '512', ...more], options)
  return stderr
}

/** What a command prints in a sandbox of the template. */
async function printed(name: string, command: string): Promise<string[]> {
  const sandbox = await Sandbox.create(name)
  try {
    return (await sandbox.commands.run(command, { user: 'root' })).stdout.trim().split('\n')
  } finally {
    await sandbox.kill()
  }
}

/** By the programs of a sandbox: this machine need not have them. */
async function compressed(archive: string, suffixes: readonly string[]): Promise<void> {
  const sandbox = await Sandbox.create('base')
  await sandbox.files.write('made.tar', new Blob([readFileSync(archive)]))
  await sandbox.commands.run('gzip -k made.tar && xz -k made.tar && bzip2 -k made.tar && zstd -q made.tar')
  for (const suffix of suffixes) writeFileSync(`${archive}.${suffix}`, await sandbox.files.read(`made.tar.${suffix}`, { format: 'bytes' }))
  await sandbox.kill()
}

describe('ADD', () => {
  beforeAll(async () => {
    const tree = path.join(context, 'tree')
    mkdirSync(path.join(tree, 'deep'), { recursive: true })
    writeFileSync(path.join(tree, 'tool'), 'tool\n', { mode: 0o711 })
    writeFileSync(path.join(tree, 'deep/inner'), 'inner\n')
    symlinkSync('deep/inner', path.join(tree, 'link'))
    const owned = ['--owner=1234', '--group=1235', '-C', tree, '.']
    execFileSync('tar', ['-cf', path.join(context, 'made.tar'), ...owned])
    await compressed(path.join(context, 'made.tar'), ['gz', 'xz', 'bz2', 'zst'])
    writeFileSync(path.join(context, 'not.tar.gz'), 'no archive\n')
  })

  test('unpacks archives with their owners and modes, and copies what is none', async () => {
    const log = await build(
      'added',
      `FROM e2bdev/base
ADD made.tar /plain
ADD made.tar.gz made.tar.xz /several/
ADD made.tar.bz2 /tmp
ADD made.tar.zst /srv/zst
ADD --chown=user --chmod=750 made.tar /owned
ADD not.tar.gz /copied/
`,
    )
    expect(log).toContain('RUN ADD made.tar /plain')
    const stat = await printed(
      'added',
      `cd /plain && stat -c '%n %u:%g %a' tool deep/inner; readlink link; cat /several/link /tmp/link /srv/zst/link
       stat -c '%u:%g %a' /tmp; stat -c '%U %a' /owned/tool; cat /copied/not.tar.gz; ls -A /var/tmp`,
    )
    expect(stat).toEqual([
      'tool 1234:1235 711',
      'deep/inner 1234:1235 644',
      'deep/inner',
      'inner',
      'inner',
      'inner',
      '0:0 1777',
      'user 750',
      'no archive',
    ])
  })

  test('names the program that the image lacks', async () => {
    await expect(build('lacking', 'FROM e2bdev/base\nRUN rm /usr/bin/zstd\nADD made.tar.zst /plain\n')).rejects.toThrow(
      /ADD made\.tar\.zst.*needs the program zstd/,
    )
  })
})

describe('USER', () => {
  test('takes numbers, with an account and without', async () => {
    const log = await build(
      'numbered',
      `FROM e2bdev/base
USER 4242:4343
WORKDIR /srv/own
COPY not.tar.gz .
RUN (id -u; id -g; echo $HOME) > said
USER 1000
RUN id -un > /tmp/known
`,
    )
    expect(log).toContain('the group of USER 4242:4343 (line 2) changes nothing')
    const command = "cat said /tmp/known; stat -c '%u:%g' /srv/own said not.tar.gz; id -un"
    const sandbox = await Sandbox.create('numbered')
    const { stdout } = await sandbox.commands.run(command, { cwd: '/srv/own' })
    expect(stdout.trim().split('\n')).toEqual(['4242', '0', '/', 'user', '4242:4242', '4242:0', '4242:4242', 'user'])
    await sandbox.kill()
  })
})

describe('stages', () => {
  const dockerfile = (last: string) => `FROM e2bdev/base AS tools
RUN mkdir /out && echo tool > /out/tool && chmod 711 /out/tool && chown user /out/tool && ln -s tool /out/link
FROM tools AS build
COPY --from=tools /out /from-tools
COPY own.txt /out/
RUN cat /from-tools/tool own.txt 2>/dev/null > /out/both; sleep 2; date +%s%N > /out/stamp
FROM e2bdev/base AS unused
RUN false
FROM e2bdev/base
COPY own.txt /srv/first
COPY --from=build /out /srv/out
COPY --from=build /out/tool /srv/renamed
COPY --from=build --chown=user:user --chmod=700 /out/l* /out/stamp /srv/some/
COPY --from=e2bdev/base /etc/os-release /srv/
COPY own.txt /srv/last
${last}
`
  test('end with --target', async () => {
    await build('targeted', dockerfile('RUN false'), '--target', 'tools')
    expect(await printed('targeted', 'ls /out; whoami; ls /srv')).toEqual(['link', 'tool', 'root'])
  })

  test('give their files to later ones with owners and modes; those that nobody needs are not built', async () => {
    writeFileSync(path.join(context, 'own.txt'), 'own\n')
    await build('staged', dockerfile('RUN echo one > /srv/which'))
    const seen = await printed(
      'staged',
      `cd /srv && stat -c '%n %U %a' out out/tool renamed some/link; readlink out/link; cat first out/both last which
       cmp os-release /etc/os-release && ls -A some; ls -A /var/tmp; whoami`,
    )
    expect(seen).toEqual([
      'out root 755',
      'out/tool user 711',
      'renamed user 711',
      'some/link user 700',
      'tool',
      'own',
      'tool',
      'own',
      'one',
      'link',
      'stamp',
      'root',
    ])
    expect((await Template.getTags('staged')).map(({ tag }) => tag)).toEqual(['default'])
  })

  test('are not run again when nothing changed in them', async () => {
    const [before] = await printed('staged', 'cat /srv/out/stamp')
    const log = await build('staged', dockerfile('RUN echo two > /srv/which'))
    expect(await printed('staged', 'cat /srv/out/stamp /srv/which')).toEqual([before, 'two'])
    expect(log).toContain('CACHED RUN COPY out /srv/out')
  })

  test('that have no such file fail, and say which', async () => {
    await expect(build('missing', 'FROM e2bdev/base AS a\nFROM e2bdev/base\nCOPY --from=a /none /x\n')).rejects.toThrow(
      /there is no \/none/,
    )
  })
})
