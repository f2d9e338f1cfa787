import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { loadConfig } from '@torpor/server/config'
import { type TestWorld, bootWorld, pythonWith, readyArtifacts, sourceDirectory } from '@torpor/testkit'
import { Sandbox, Template, type BuildInfo } from 'e2b'
import { Sandbox as NovitaSandbox, Template as NovitaTemplate } from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Registry, buildRegistry, openRegistry } from '../test-registry.ts'

const run = promisify(execFile)
const pythonDirectory = path.join(import.meta.dirname, 'python')
let directory: string
let world: TestWorld
let plain: Registry
let encrypted: Registry
/** Its image has one static program and nothing else. */
let scratch: Registry
/** Its image has programs and a shell, but no accounts. */
let nobody: Registry

/** A small root: busybox-like, a shell and a few programs with their libraries, out of the template base. */
const programs = 'sh cat id ls mkdir chown dirname sed rm tar od tr cp chmod env touch sleep test pwd echo whoami printf ps'.split(' ')

async function makeRoot(base: string, root: string): Promise<void> {
  await mkdir(path.join(root, 'usr/bin'), { recursive: true })
  for (const name of ['usr/lib', 'usr/lib64', 'bin', 'lib', 'lib64']) {
    await run('sh', ['-c', 'if [ -e "$1/$3" ]; then cp -a "$1/$3" "$2/$3"; fi', 'sh', base, root, name === 'usr/lib' ? 'usr/lib64' : name])
  }
  const libraries = (await readdir(path.join(base, 'usr/lib/x86_64-linux-gnu'))).filter((name) =>
    /^(libc|libm|libselinux|libpcre2-8|libacl|libattr|ld-linux-x86-64|libcrypto|libcap|libproc2|libsystemd|libgcrypt|liblz4|liblzma|libzstd|libgpg-error)\b/.test(
      name,
    ),
  )
  await mkdir(path.join(root, 'usr/lib/x86_64-linux-gnu'), { recursive: true })
  const copy = { recursive: true, verbatimSymlinks: true }
  for (const name of libraries)
    await cp(path.join(base, 'usr/lib/x86_64-linux-gnu', name), path.join(root, 'usr/lib/x86_64-linux-gnu', name), copy)
  await mkdir(path.join(root, 'etc'))
  await writeFile(path.join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  await writeFile(path.join(root, 'etc/group'), 'root:x:0:\n')
  await cp(path.join(base, 'usr/bin/dash'), path.join(root, 'usr/bin/dash'))
  for (const name of programs) await cp(path.join(base, 'usr/bin', name), path.join(root, 'usr/bin', name), copy).catch(() => undefined)
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-registry-'))
  const { rootfs } = await readyArtifacts(loadConfig())
  const inside = (name: string): string => path.join(directory, name)
  const [root, archive, program] = [inside('root'), inside('root.tar'), inside('registry')]
  await makeRoot(rootfs.directory, root)
  await run('tar', ['-cf', archive, '-C', root, '.'])
  await buildRegistry(program)
  const [certificate, key] = [inside('ca.pem'), inside('key.pem')]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    key,
    '-out',
    certificate,
    '-days',
    '2',
    ...names,
  ])
  plain = await openRegistry(program, ['-layer', archive])
  encrypted = await openRegistry(program, ['-layer', archive, '-certificate', certificate, '-key', key])
  await run('tar', ['-cf', inside('scratch.tar'), '-C', directory, 'registry'])
  scratch = await openRegistry(program, ['-layer', inside('scratch.tar')])
  await run('tar', ['-cf', inside('nobody.tar'), '-C', root, '--exclude=./etc', '.'])
  nobody = await openRegistry(program, ['-layer', inside('nobody.tar')])
  const insecure = [plain, scratch, nobody].map(({ host }) => host).join(',')
  world = await bootWorld({ TORPOR_INSECURE_REGISTRIES: insecure, TORPOR_REGISTRY_CA: certificate })
  Object.assign(process.env, world.env)
}, 300_000)

afterAll(async () => {
  await world?.close()
  plain?.end()
  encrypted?.end()
  scratch?.end()
  nobody?.end()
  await rm(directory, { recursive: true, force: true })
})

async function build(template: Parameters<typeof Template.build>[0], name: string): Promise<{ info: BuildInfo; log: string }> {
  const lines: string[] = []
  const info = await Template.build(template, name, { cpuCount: 1, memoryMB: 256, onBuildLogs: ({ message }) => lines.push(message) })
  return { info, log: lines.join('\n') }
}

describe('a template from an image of a registry', () => {
  test('has no bash, no sudo and no user: it says so, makes the user, runs the steps, and its sandboxes live', async () => {
    const { log } = await build(
      Template().fromImage(`${plain.host}/team/app:v1`).runCmd('echo "$FROM_IMAGE $(id -un)" > /tmp/said'),
      'small',
    )
    expect(log).toMatch(/@sha256:[0-9a-f]{64}/)
    expect(log).toContain('no /bin/bash')
    expect(log).toContain('no sudo')
    expect(log).toContain("own user is 'nobody'")
    const sandbox = await Sandbox.create('small')
    expect(await sandbox.files.read('/tmp/said')).toBe('yes user\n')
    await sandbox.pause()
    const again = await Sandbox.connect(sandbox.sandboxId)
    expect(await again.files.read('/tmp/said')).toBe('yes user\n')
    await again.kill()
  })

  test('without /etc/passwd gets the accounts root and user, and says so', async () => {
    const said = '(id -un; pwd) > said'
    const template = Template().fromImage(`${nobody.host}/team/app:v1`).runCmd(said).runCmd(`cd /root && ${said}`, { user: 'root' })
    const { log } = await build(template.setWorkdir('/srv/deep').runCmd(said), 'nobody')
    expect(log).toContain('no account "root"')
    expect(log).toContain('Made the user "user" (uid 1000')
    const sandbox = await Sandbox.create('nobody')
    expect(await sandbox.files.read('/home/user/said')).toBe('user\n/home/user\n')
    expect(await sandbox.files.read('/root/said', { user: 'root' })).toBe('root\n/root\n')
    expect(await sandbox.files.read('/srv/deep/said')).toBe('user\n/srv/deep\n')
    await sandbox.kill()
  })

  test('with one static program and no shell lives, keeps files, and says what it lacks where a shell is asked for', async () => {
    const image = Template().fromImage(`${scratch.host}/team/app:v1`)
    const { log } = await build(image.setWorkdir('/srv/deep'), 'scratch')
    expect(log).toContain('neither /bin/bash nor /bin/sh')
    const sandbox = await Sandbox.create('scratch')
    await sandbox.files.write('kept', 'yes')
    expect(await sandbox.files.getInfo('/srv/deep/kept')).toMatchObject({ owner: 'user', size: 3 })
    expect(await sandbox.files.exists('/registry')).toBe(true)
    await expect(sandbox.commands.run('true')).rejects.toThrow('/bin/bash')
    await sandbox.pause()
    const again = await Sandbox.connect(sandbox.sandboxId)
    expect(await again.files.read('/srv/deep/kept')).toBe('yes')
    await again.kill()
    await expect(build(image.runCmd('true'), 'scratch-run')).rejects.toThrow('/bin/sh')
  })

  test('without a shell gives its program to a Dockerfile by COPY --from; what is no file in it is told with its line', async () => {
    const context = path.join(directory, 'context')
    await mkdir(context, { recursive: true })
    const dockerfile = (source: string) => `FROM e2bdev/base\nCOPY --from=${scratch.host}/team/app:v1 ${source} /usr/local/bin/\n`
    const cli = async (source: string) => {
      await writeFile(path.join(context, 'Dockerfile'), dockerfile(source))
      const args = ['template', 'build', 'taken', '--path', context, '--memory-mb', '512']
      return run(path.join(sourceDirectory, 'torpor'), args, { env: { ...process.env, ...world.env }, timeout: 100_000 })
    }
    await expect(cli('/none')).rejects.toThrow(/line 2: .*has no shell.*no file \/none/)
    await cli('/registry')
    const sandbox = await Sandbox.create('taken')
    const { stdout } = await sandbox.commands.run('registry --help 2>&1 | head -1; stat -c "%U %a" /usr/local/bin/registry')
    expect(stdout).toBe('Usage of registry:\nroot 755\n')
    await sandbox.kill()
  })

  test('is fetched once for two registries, and with the password over HTTPS', async () => {
    const credentials = { username: 'someone', password: 'secret' }
    const { log } = await build(
      Template().fromImage(`${encrypted.host}/team/app:v1`, credentials).runCmd('echo "$FROM_IMAGE $(id -un)" > /tmp/said'),
      'private',
    )
    expect(log).toContain('CACHED RUN')
  })

  test('is built by the SDK of Novita, with the password; a wrong one is told and none is kept in the log', async () => {
    const image = `${encrypted.host}/team/app:v1`
    const from = (password: string) => NovitaTemplate().fromImage(image, { username: 'someone', password })
    const lines: string[] = []
    const told = { cpuCount: 1, memoryMB: 256, onBuildLogs: ({ message }: { message: string }) => void lines.push(message) }
    await NovitaTemplate.build(from('secret').runCmd('echo "novita $FROM_IMAGE" > ~/said'), 'novita-image', told)
    expect(lines.join('\n')).not.toContain('secret')
    const sandbox = await NovitaSandbox.create('novita-image')
    expect(await sandbox.files.read('/home/user/said')).toBe('novita yes\n')
    await sandbox.kill()
    await expect(NovitaTemplate.build(from('mistaken'), 'novita-locked', told)).rejects.toThrow(/credentials|password/i)
    expect(lines.join('\n')).not.toContain('mistaken')
  })

  test.each(['e2b', 'novita_sandbox'])('is built by %s from PyPI, with the password', async (sdk) => {
    const python = await pythonWith(path.join(pythonDirectory, 'requirements.txt'), world.artifactDirectory)
    const env = { ...process.env, ...world.env, TORPOR_TEST_SDK: sdk, TORPOR_TEST_REGISTRY: encrypted.host }
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path.join(pythonDirectory, 'test_template_image.py')]
    const result = await run(python, args, { env, timeout: 110_000 }).catch((error: { stdout: string; stderr: string }) => error)
    expect(result.stdout + result.stderr).toMatch(/^2 passed/m)
  })

  test('without the password or a name that exists, the build fails at its base, and says why', async () => {
    await expect(build(Template().fromImage(`${encrypted.host}/team/app:v1`), 'locked')).rejects.toThrow(/credentials|password/i)
    await expect(build(Template().fromImage(`${plain.host}/team/none:v1`), 'nowhere')).rejects.toThrow(/none|no such|not/i)
  })

  test('a Dockerfile of the SDK is built on it, and on nothing of ours', async () => {
    const dockerfile = `FROM ${plain.host}/team/app:v1\nENV A=b\nWORKDIR /srv/app\nRUN echo "$A $(id -un) $(pwd)" > said\nCMD sleep 1000\n`
    await build(Template().fromDockerfile(dockerfile), 'docker')
    const sandbox = await Sandbox.create('docker')
    expect(await sandbox.files.read('/srv/app/said')).toBe('b root /srv/app\n')
    await sandbox.kill()
  })
})
