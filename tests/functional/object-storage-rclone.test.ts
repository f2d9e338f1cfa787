import { openAsBlob } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { type ObjectStorage, type TestWorld, bootWorld, objectStorage, rcloneProgram } from '@torpor/testkit'
import { Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const mountDirectory = '/mnt/bucket'

describe.each([
  { tier: 'frozen', warmMemory: '2048' },
  { tier: 'image', warmMemory: '0' },
])('buckets mounted with rclone, resumed from the $tier', ({ warmMemory }) => {
  let world: TestWorld
  let storage: ObjectStorage
  let program: string
  beforeAll(async () => {
    program = await rcloneProgram()
    world = await bootWorld({ TORPOR_WARM_MEMORY: warmMemory })
    Object.assign(process.env, world.env)
    storage = await objectStorage(world.artifactDirectory)
    await storage.addBucket('papers')
  }, 600_000)
  afterAll(async () => {
    await storage?.close()
    await world?.close()
  })

  const configuration = (): string => `[s3]
type = s3
provider = Other
endpoint = ${storage.url}
access_key_id = ${storage.accessKey}
secret_access_key = ${storage.secretKey}
force_path_style = true
`

  /** Debian's program, which base does not have, and the mount as docs/object-storage.md writes it. */
  async function mounted(): Promise<NovitaSandbox> {
    const sandbox = await NovitaSandbox.create({ timeoutMs: 600_000 })
    const content = await openAsBlob(program)
    await sandbox.files.write('/usr/local/bin/rclone', content, { user: 'root', requestTimeoutMs: 60_000 })
    await sandbox.files.write('/root/.config/rclone/rclone.conf', configuration(), { user: 'root' })
    const mount = `nohup rclone mount s3:papers ${mountDirectory} --vfs-cache-mode writes --allow-other >/tmp/rclone.log 2>&1 </dev/null &`
    await sandbox.commands.run(`chmod 755 /usr/local/bin/rclone; mkdir -p ${mountDirectory}; ${mount}`, { user: 'root' })
    const isMounted = `for i in $(seq 100); do mountpoint -q ${mountDirectory} && exit; sleep 0.1; done; cat /tmp/rclone.log; exit 1`
    await sandbox.commands.run(isMounted, { user: 'root' })
    return sandbox
  }

  const stored = (name: string): Promise<string> => readFile(path.join(storage.directory, 'papers', name), 'utf8').catch(() => 'not there')

  test('a bucket is written, read, listed, emptied and unmounted', async () => {
    const sandbox = await mounted()
    await sandbox.files.write(`${mountDirectory}/one`, 'through rclone')
    await expect.poll(() => stored('one'), { timeout: 30_000 }).toBe('through rclone')
    expect((await sandbox.commands.run(`cat ${mountDirectory}/one; ls ${mountDirectory}; whoami`)).stdout).toBe('through rcloneone\nuser\n')
    await sandbox.commands.run(`rm ${mountDirectory}/one`)
    await expect.poll(() => stored('one'), { timeout: 30_000 }).toBe('not there')
    await sandbox.commands.run(`sudo umount ${mountDirectory}`)
    expect((await sandbox.commands.run(`ls -A ${mountDirectory}`)).stdout).toBe('')
    await sandbox.kill()
  })

  test('the mount works after pause and resume, and in a clone', async () => {
    const sandbox = await mounted()
    await sandbox.files.write(`${mountDirectory}/before`, 'written before')
    await expect.poll(() => stored('before'), { timeout: 30_000 }).toBe('written before')
    await NovitaSandbox.betaPause(sandbox.sandboxId)
    const awake = await NovitaSandbox.connect(sandbox.sandboxId)
    expect(await awake.files.read(`${mountDirectory}/before`)).toBe('written before')
    await awake.files.write(`${mountDirectory}/after`, 'written after')
    await expect.poll(() => stored('after'), { timeout: 30_000 }).toBe('written after')
    const { sandboxes } = await NovitaSandbox.clone(awake.sandboxId, { count: 1 })
    const [clone] = sandboxes
    expect(await clone?.files.read(`${mountDirectory}/before`)).toBe('written before')
    await Promise.all([awake, ...sandboxes].map((one) => one.kill()))
  })
})
