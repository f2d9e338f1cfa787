import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { type ObjectStorage, objectStorage } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { type Figure, repeat, timed } from './figures.ts'
import { inWorld } from './world.ts'

const run = promisify(execFile)
const mib = 100
const mountDirectory = '/mnt/bucket'

/** Where the same commands are run: in a sandbox, and on this machine. */
interface Place {
  run(command: string): Promise<unknown>
}

const rate = async (work: () => Promise<unknown>): Promise<number> => (mib * 1000) / (await timed(work))

/** MB/s of one file each way. Every round mounts anew, so that nothing is read from s3fs's or the kernel's cache. */
async function measure(place: Place, mount: string, directory: string, name: string): Promise<{ write: number[]; read: number[] }> {
  const remount = (): Promise<unknown> =>
    place.run(`umount ${directory} 2>/dev/null; ${mount}; until mountpoint -q ${directory}; do sleep 0.1; done`)
  const write: number[] = []
  const read = await repeat(5, async () => {
    await remount()
    write.push(await rate(() => place.run(`dd if=/tmp/hundred of=${directory}/${name} bs=1M`)))
    await remount()
    return rate(() => place.run(`dd if=${directory}/${name} of=/dev/null bs=1M`))
  })
  return { write, read }
}

/** A file of 100 MiB to and from a bucket mounted with s3fs, inside a sandbox and on this machine, against one server. */
export const storage = (directory: string): Promise<Figure[]> =>
  inWorld({}, async (world) => {
    const server = await objectStorage(world.artifactDirectory)
    try {
      await server.addBucket('bench')
      const inside = await inSandbox(server)
      const host = await onMachine(server, directory)
      const yardstick = (samples: number[]) => ({ name: 's3fs on the machine', samples })
      return [
        { name: `s3fs, write ${mib} MiB`, unit: 'MiB/s', samples: inside.write, yardstick: yardstick(host.write), target: 'reported' },
        { name: `s3fs, read ${mib} MiB`, unit: 'MiB/s', samples: inside.read, yardstick: yardstick(host.read), target: 'reported' },
      ]
    } finally {
      await server.close()
    }
  })

const options = (server: ObjectStorage, passwordFile: string): string =>
  `-o allow_other,endpoint=us-east-1,url=${server.url},use_path_request_style,passwd_file=${passwordFile}`

const fill = `head -c ${mib * 1024 * 1024} /dev/urandom > /tmp/hundred`

async function inSandbox(server: ObjectStorage): Promise<{ write: number[]; read: number[] }> {
  const sandbox = await Sandbox.create({ timeoutMs: 600_000 })
  const place: Place = { run: (command) => sandbox.commands.run(command, { user: 'root', timeoutMs: 120_000 }) }
  await sandbox.files.write('/root/.passwd-s3fs', `${server.accessKey}:${server.secretKey}`, { user: 'root' })
  await place.run(`chmod 600 /root/.passwd-s3fs; mkdir -p ${mountDirectory}; ${fill}`)
  const mount = `s3fs bench ${mountDirectory} ${options(server, '/root/.passwd-s3fs')}`
  const result = await measure(place, mount, mountDirectory, 'inside')
  await sandbox.kill()
  return result
}

/** With the machine's own s3fs (Debian package). */
async function onMachine(server: ObjectStorage, directory: string): Promise<{ write: number[]; read: number[] }> {
  const home = await mkdtemp(path.join(directory, 's3fs-'))
  const target = path.join(home, 'mount')
  const passwordFile = path.join(home, 'password')
  await mkdir(target)
  await writeFile(passwordFile, `${server.accessKey}:${server.secretKey}`)
  await chmod(passwordFile, 0o600)
  const source = path.join(home, 'hundred')
  const place: Place = { run: (command) => run('bash', ['-c', command.replaceAll('/tmp/hundred', source)], { timeout: 120_000 }) }
  try {
    await place.run(fill)
    return await measure(place, `s3fs bench ${target} ${options(server, passwordFile)}`, target, 'machine')
  } finally {
    await place.run(`umount ${target}`).catch(() => undefined)
    await rm(home, { recursive: true, force: true })
  }
}
