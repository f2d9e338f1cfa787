import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { BuildError, Sandbox, Template } from 'e2b'
import { Novita, Sandbox as NovitaSandbox, Template as NovitaTemplate } from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let world: TestWorld
let context: string

beforeAll(async () => {
  world = await bootWorld()
  Object.assign(process.env, world.env)
  context = await mkdtemp(path.join(tmpdir(), 'torpor-context-'))
  await mkdir(path.join(context, 'app/deep'), { recursive: true })
  await writeFile(path.join(context, 'app/main.txt'), 'main')
  await writeFile(path.join(context, 'app/deep/inner.txt'), 'inner')
  await writeFile(path.join(context, 'tool.sh'), '#!/bin/sh\necho tool\n', { mode: 0o755 })
  await writeFile(path.join(context, '.hidden'), 'hidden')
})
afterAll(async () => {
  await world?.close()
  await rm(context, { recursive: true, force: true })
})

/** What the sandbox prints. */
async function printed(sandbox: Pick<Sandbox, 'commands'>, command: string): Promise<string> {
  return (await sandbox.commands.run(command)).stdout.trim()
}

/** Serves the number of seconds since its start on port 8000; /tmp/ready appears when it does. */
const server = `python3 -c '
import http.server, time, pathlib
begun = time.time()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(begun).encode())
    def log_message(self, *args): pass
made = http.server.HTTPServer(("0.0.0.0", 8000), Handler)
pathlib.Path("/tmp/ready").touch()
made.serve_forever()'`

describe('a template built by the SDK of e2b', () => {
  test('has its files, environment, user, workdir, and its running server with its memory in every sandbox', async () => {
    const lines: string[] = []
    const template = Template({ fileContextPath: context })
      .fromTemplate('base')
      .setEnvs({ GREETING: 'hello', PATH: '/opt/tools:$PATH' })
      .runCmd('echo "$GREETING from $(whoami) in $(pwd)" > said')
      .runCmd('echo root > /etc/made-by-root', { user: 'root' })
      .copy('app', '/srv/app')
      .copy('tool.sh', '/opt/tools/', { user: 'root' })
      .setWorkdir('/srv/app')
      .runCmd('cat main.txt > copy.txt')
      .setStartCmd(server, 'test -e /tmp/ready')
    const info = await Template.build(template, 'story', { cpuCount: 1, memoryMB: 512, onBuildLogs: ({ message }) => lines.push(message) })
    expect(lines).toContainEqual(expect.stringContaining('The template is ready'))

    const [one, two] = await Promise.all([Sandbox.create('story'), Sandbox.create(info.templateId, { envs: { GREETING: 'own' } })])
    expect(await one.files.read('/home/user/said')).toBe('hello from user in /home/user\n')
    expect(await printed(one, 'pwd; echo $GREETING; cat deep/inner.txt; cat copy.txt; cat /etc/made-by-root')).toBe(
      '/srv/app\nhello\ninnermainroot',
    )
    expect(await printed(one, 'stat -c %U /srv/app/main.txt /opt/tools/tool.sh; tool.sh')).toBe('user\nroot\ntool')
    expect(await printed(two, 'echo $GREETING')).toBe('own')
    const begun = await Promise.all([one, two].map((sandbox) => printed(sandbox, 'curl -s localhost:8000')))
    expect(begun[0]).toMatch(/^\d+\.\d+$/)
    expect(begun[1]).toBe(begun[0])
    expect(await one.getInfo()).toMatchObject({ templateId: info.templateId, name: 'story', cpuCount: 1, memoryMB: 512 })

    await one.pause()
    const back = await one.connect()
    expect(await printed(back, 'curl -s localhost:8000')).toBe(begun[0])
    await expect(
      fetch(`${world.url}/templates/story`, { method: 'DELETE', headers: { 'X-API-KEY': world.apiKey } }),
    ).resolves.toMatchObject({
      status: 400,
    })
    await Promise.all([one.kill(), two.kill()])
  })

  test('runs no step twice: a second build takes them from its layers, a change runs what follows it', async () => {
    const template = (last: string) => Template().fromTemplate('base').runCmd('sleep 2; date +%s%N > /home/user/stamp').runCmd(last)
    const stampOf = async (name: string): Promise<string> => {
      const sandbox = await Sandbox.create(name)
      try {
        return await sandbox.files.read('/home/user/stamp')
      } finally {
        await sandbox.kill()
      }
    }
    await Template.build(template('true'), 'cached')
    const first = await stampOf('cached')
    const start = performance.now()
    await Template.build(template('true'), 'cached')
    const seconds = (performance.now() - start) / 1000
    console.info(`a build from layers alone: ${seconds.toFixed(2)} s`)
    expect(await stampOf('cached')).toBe(first)
    await Template.build(template('echo other'), 'cached-other')
    expect(await stampOf('cached-other')).toBe(first)
    await Template.build(template('true'), 'cached', { skipCache: true })
    expect(await stampOf('cached')).not.toBe(first)
  })

  test('that fails in its third step says so at the line of that step, with what the command said; the old one stays', async () => {
    await Template.build(Template().fromTemplate('base').runCmd('echo old > ~/which'), 'failing')
    const bad = Template().fromTemplate('base').runCmd('true').setEnvs({ A: '1' }).runCmd('echo no such thing >&2; exit 3').runCmd('true')
    const error = await Template.build(bad, 'failing').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(BuildError)
    expect(String(error)).toMatch(/exit code 3: no such thing/)
    const sandbox = await Sandbox.create('failing')
    expect(await printed(sandbox, 'cat ~/which')).toBe('old')
    await sandbox.kill()
  })

  test('is built beside another one; exists, tags, and is deleted', async () => {
    const template = (text: string) => Template().fromTemplate('base').runCmd(`sleep 1; echo ${text} > ~/which`)
    await Promise.all([Template.build(template('left'), 'left'), Template.build(template('right'), 'right:v1', { tags: ['v2'] })])
    expect([await Template.exists('left'), await Template.exists('nobody')]).toEqual([true, false])
    expect(await Template.assignTags('right:v1', ['default', 'production'])).toMatchObject({ tags: ['default', 'production'] })
    const sandbox = await Sandbox.create('right:production')
    expect(await printed(sandbox, 'cat ~/which')).toBe('right')
    await sandbox.kill()
    await Template.removeTags('right', 'v1')
    expect((await Template.getTags('right')).map(({ tag }) => tag).toSorted()).toEqual(['default', 'production', 'v2'])
    const answer = await fetch(`${world.url}/templates/left`, { method: 'DELETE', headers: { 'X-API-KEY': world.apiKey } })
    expect([answer.status, await Template.exists('left')]).toEqual([204, false])
  })
})

describe('COPY', () => {
  test('takes what a Dockerfile would take, and puts it where a Dockerfile would', async () => {
    const template = Template({ fileContextPath: context })
      .fromTemplate('base')
      .copy('tool.sh', '/out/renamed')
      .copy('tool.sh', '/out/into/')
      .copy('app/main.txt', 'relative.txt')
      .copy('app/', '/out/contents')
      .copy('app/*', '/out/glob')
      .copy('.', '/out/all')
      .copy('tool.sh', '/out/owned', { user: 'root', mode: 0o700 })
    await Template.build(template, 'copies')
    const sandbox = await Sandbox.create('copies')
    expect((await printed(sandbox, 'cd /out && find . -type f | sort')).split('\n')).toEqual([
      './all/.hidden',
      './all/app/deep/inner.txt',
      './all/app/main.txt',
      './all/tool.sh',
      './contents/deep/inner.txt',
      './contents/main.txt',
      './glob/inner.txt',
      './glob/main.txt',
      './into/tool.sh',
      './owned',
      './renamed',
    ])
    expect(await printed(sandbox, 'stat -c "%a %U" /out/owned /out/renamed; cat ~/relative.txt')).toBe('700 root\n755 user\nmain')
    await sandbox.kill()
  })
})

describe('a template built by the SDK of Novita', () => {
  test('has files, environment and its running command; is listed, read and deleted', async () => {
    const template = NovitaTemplate({ fileContextPath: context })
      .fromTemplate('base')
      .setEnvs({ GREETING: 'hello' })
      .copy('tool.sh', '/opt/tool.sh')
      .runCmd('echo $GREETING > ~/said')
      .setStartCmd(server, 'test -e /tmp/ready')
    const { templateId } = await NovitaTemplate.build(template, 'novita-story', { cpuCount: 1, memoryMB: 512 })
    const sandbox = await NovitaSandbox.create('novita-story')
    expect((await sandbox.commands.run('cat ~/said; /opt/tool.sh; echo $GREETING; curl -s localhost:8000')).stdout).toMatch(
      /^hello\ntool\nhello\n\d+\.\d+/,
    )
    await sandbox.kill()
    expect(await NovitaTemplate.get(templateId)).toMatchObject({ templateId, buildStatus: 'ready' })
    expect(await new Novita().template.delete(templateId)).toBe(true)
    expect(await new Novita().template.delete(templateId)).toBe(false)
  })
})
