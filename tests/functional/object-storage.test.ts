import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { type ObjectStorage, type TestWorld, bootWorld, objectStorage, pythonWith } from '@torpor/testkit'
import { CommandExitError, Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const python = path.join(import.meta.dirname, 'python')
const mountDirectory = '/mnt/s3-bucket'
/** What docs/object-storage.md advises, so that a server that is gone is an error soon. */
const impatient = 'connect_timeout=3,readwrite_timeout=5,retries=1'

/** s3fs 1.90 goes to the background before it asks the server, and ends with 0 whatever the answer: the mount itself is the proof. */
const mountedOrNot = (mount: string): string => `${mount} && sleep 1 && mountpoint -q ${mountDirectory}`

describe.each([
  { tier: 'frozen', warmMemory: '2048' },
  { tier: 'image', warmMemory: '0' },
])('buckets mounted with s3fs, resumed from the $tier', ({ tier, warmMemory }) => {
  let world: TestWorld
  let storage: ObjectStorage
  beforeAll(async () => {
    world = await bootWorld({ TORPOR_WARM_MEMORY: warmMemory })
    Object.assign(process.env, world.env)
    storage = await objectStorage(world.artifactDirectory)
    await storage.addBucket('papers')
  })
  afterAll(async () => {
    await storage?.close()
    await world?.close()
  })

  const s3fs = (bucket: string, more = ''): string =>
    `sudo s3fs ${bucket} ${mountDirectory} -o allow_other,endpoint=us-east-1,url=${storage.url},use_path_request_style${more}`

  async function prepared(secretKey = storage.secretKey): Promise<NovitaSandbox> {
    const sandbox = await NovitaSandbox.create({ timeoutMs: 600_000 })
    await sandbox.files.makeDir(mountDirectory)
    await sandbox.files.write('/root/.passwd-s3fs', `${storage.accessKey}:${secretKey}`)
    await sandbox.commands.run('sudo chmod 600 /root/.passwd-s3fs')
    return sandbox
  }

  async function mounted(more = ''): Promise<NovitaSandbox> {
    const sandbox = await prepared()
    await sandbox.commands.run(s3fs('papers', more))
    return sandbox
  }

  /** The exit code and what was printed, also of a command that fails. */
  const outcome = (sandbox: NovitaSandbox, command: string, timeoutMs = 60_000) =>
    sandbox.commands.run(command, { timeoutMs }).catch((error: unknown) => {
      if (error instanceof CommandExitError) return error
      throw error
    })

  const stored = (name: string): Promise<string> => readFile(path.join(storage.directory, 'papers', name), 'utf8')

  test('O3 O4: password file, mount, write, read, list, remove, unmount, by the documented calls', async () => {
    const sandbox = await mounted()
    await sandbox.files.write(`${mountDirectory}/test-file.txt`, 'test-file-content')
    expect(await sandbox.files.read(`${mountDirectory}/test-file.txt`)).toBe('test-file-content')
    expect(await stored('test-file.txt')).toBe('test-file-content')
    expect((await sandbox.files.list(mountDirectory)).map((entry) => entry.name)).toContain('test-file.txt')
    expect((await sandbox.commands.run(`ls ${mountDirectory}; whoami`)).stdout).toBe('test-file.txt\nuser\n')
    await sandbox.commands.run(`mkdir ${mountDirectory}/deep && mv ${mountDirectory}/test-file.txt ${mountDirectory}/deep/renamed`)
    expect(await stored('deep/renamed')).toBe('test-file-content')
    await sandbox.commands.run(`rm -r ${mountDirectory}/deep`)
    await expect(stored('deep/renamed')).rejects.toThrow('ENOENT')
    await sandbox.commands.run(`sudo umount ${mountDirectory}`)
    expect((await sandbox.commands.run(`ls -A ${mountDirectory}`)).stdout).toBe('')
    await sandbox.kill()
  })

  test('O3: without allow_other the bucket is root’s alone', async () => {
    const sandbox = await prepared()
    await sandbox.commands.run(s3fs('papers').replace('allow_other,', ''))
    await sandbox.commands.run(`sudo touch ${mountDirectory}/of-root`)
    expect((await outcome(sandbox, `ls ${mountDirectory}`)).exitCode).not.toBe(0)
    await sandbox.kill()
  })

  test('O4: a file of 128 MiB goes through whole', async () => {
    const sandbox = await mounted()
    await sandbox.commands.run('head -c 134217728 /dev/urandom > /tmp/large')
    const copy = `cp /tmp/large ${mountDirectory}/large && sha256sum < /tmp/large && sudo umount ${mountDirectory} && ${s3fs('papers')}`
    const written = await sandbox.commands.run(copy, { timeoutMs: 110_000 })
    const read = await sandbox.commands.run(`sha256sum < ${mountDirectory}/large`, { timeoutMs: 110_000 })
    expect(read.stdout).toBe(written.stdout)
    await sandbox.kill()
  })

  test(`the mount works after pause and resume from the ${tier}`, async () => {
    const sandbox = await mounted()
    await sandbox.files.write(`${mountDirectory}/before`, 'written before')
    await NovitaSandbox.betaPause(sandbox.sandboxId)
    const awake = await NovitaSandbox.connect(sandbox.sandboxId)
    expect(await awake.files.read(`${mountDirectory}/before`)).toBe('written before')
    await awake.files.write(`${mountDirectory}/after-${tier}`, 'written after')
    expect(await stored(`after-${tier}`)).toBe('written after')
    await awake.kill()
  })

  test('clones read and write the same bucket', async () => {
    const sandbox = await mounted()
    await sandbox.files.write(`${mountDirectory}/shared`, 'from the parent')
    const { sandboxes } = await NovitaSandbox.clone(sandbox.sandboxId, { count: 2 })
    await Promise.all(
      sandboxes.map(async (clone, index) => {
        expect(await clone.files.read(`${mountDirectory}/shared`)).toBe('from the parent')
        await clone.files.write(`${mountDirectory}/clone-${index}`, `clone ${index}`)
      }),
    )
    expect(await stored('clone-0')).toBe('clone 0')
    expect(await sandbox.files.read(`${mountDirectory}/clone-1`)).toBe('clone 1')
    await Promise.all([sandbox, ...sandboxes].map((one) => one.kill()))
  })

  test.each([
    { what: 'a wrong key', bucket: 'papers', key: 'wrong', says: 'invalid credentials' },
    { what: 'a missing bucket', bucket: 'nowhere', key: undefined, says: 'bucket or key not found' },
  ])('$what: the mount fails and says so, the sandbox goes on', async ({ bucket, key, says }) => {
    const sandbox = await prepared(key)
    const told = await outcome(sandbox, `${s3fs(bucket)} -f`)
    expect(told.stdout + told.stderr).toContain(says)
    expect((await outcome(sandbox, mountedOrNot(s3fs(bucket)))).exitCode).not.toBe(0)
    await NovitaSandbox.betaPause(sandbox.sandboxId)
    const awake = await NovitaSandbox.connect(sandbox.sandboxId)
    expect((await awake.commands.run('echo usable')).stdout).toBe('usable\n')
    await awake.kill()
  })

  test('the server gone before the mount: it fails in bounded time', async () => {
    const sandbox = await prepared()
    storage.unplug()
    try {
      const told = await outcome(sandbox, `${s3fs('papers', `,${impatient}`)} -f`)
      expect(told.stdout + told.stderr).toContain('unable to connect')
      expect((await outcome(sandbox, mountedOrNot(s3fs('papers', `,${impatient}`)))).exitCode).not.toBe(0)
    } finally {
      storage.plug()
    }
    await sandbox.kill()
  })

  test('the server gone during use: files fail in bounded time, the sandbox can be used, paused, resumed and killed', async () => {
    const sandbox = await mounted(`,${impatient}`)
    await sandbox.files.write(`${mountDirectory}/here`, 'here')
    storage.unplug()
    try {
      expect((await outcome(sandbox, `ls ${mountDirectory}`)).stderr).toContain('Input/output error')
      const stuck = await sandbox.commands.run(`cp /etc/hostname ${mountDirectory}/stuck`, { background: true })
      await NovitaSandbox.betaPause(sandbox.sandboxId)
      const awake = await NovitaSandbox.connect(sandbox.sandboxId)
      expect((await awake.commands.run('echo usable')).stdout).toBe('usable\n')
      await stuck.disconnect().catch(() => undefined)
    } finally {
      storage.plug()
    }
    await expect
      .poll(async () => (await outcome(sandbox, `cat ${mountDirectory}/here`)).stdout, { timeout: 60_000, interval: 1000 })
      .toBe('here')
    await sandbox.kill()
  })

  test('O4: the documented program, with the Python SDK', async () => {
    const interpreter = await pythonWith(path.join(python, 'requirements.txt'), world.artifactDirectory)
    const env = { ...process.env, AWS_ACCESS_KEY_ID: storage.accessKey, AWS_SECRET_ACCESS_KEY: storage.secretKey, S3_URL: storage.url }
    const { stdout } = await run(interpreter, [path.join(import.meta.dirname, 'clients', 'bucket.py'), 'papers'], { env, timeout: 110_000 })
    expect(stdout).toBe('File content: test-file-content\n')
  })
})
