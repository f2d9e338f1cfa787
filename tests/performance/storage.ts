import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { type ObjectStorage, objectStorage } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { type Figure, timed } from './figures.ts'
import { inWorld } from './world.ts'

const run = promisify(execFile)
const mib = 100
const mountDirectory = '/mnt/bucket'

/** Where the same commands are run: in a sandbox, and on this machine. */
interface Place {
  run(command: string): Promise<unknown>
}

const rate = async (work: () => Promise<unknown>): Promise<number> => (mib * 1000) / (await timed(work))

/** One file each way, on both places in turn. Every round mounts anew, so that nothing is read from s3fs's or the kernel's cache. */
class Rounds {
  readonly write: number[] = []
  readonly read: number[] = []
  readonly #place: Place
  readonly #mount: string
  readonly #directory: string

  constructor(place: Place, mount: string, directory: string) {
    this.#place = place
    this.#mount = mount
    this.#directory = directory
  }

  async round(name: string): Promise<void> {
    const file = `${this.#directory}/${name}`
    await this.#remount()
    this.write.push(await rate(() => this.#place.run(`dd if=/tmp/hundred of=${file} bs=1M`)))
    await this.#remount()
    this.read.push(await rate(() => this.#place.run(`dd if=${file} of=/dev/null bs=1M`)))
  }

  #remount(): Promise<unknown> {
    const [at, mount] = [this.#directory, this.#mount]
    return this.#place.run(`umount ${at} 2>/dev/null; ${mount}; until mountpoint -q ${at}; do sleep 0.1; done`)
  }
}

/** A file of 100 MiB to and from a bucket mounted with s3fs, inside a sandbox and on this machine, against one server. */
export const storage = (directory: string): Promise<Figure[]> =>
  inWorld({}, async (world) => {
    await using server = disposable(await objectStorage(world.artifactDirectory))
    await server.addBucket('bench')
    const sandbox = await Sandbox.create({ timeoutMs: 1_800_000 })
    await using machine = await onMachine(server, directory)
    const inside = await inSandbox(server, sandbox)
    for (let round = 0; round < 5; round += 1) {
      await inside.round('inside')
      await machine.rounds.round('machine')
    }
    await sandbox.kill()
    const beside = (samples: number[]) => ({ name: 's3fs on the machine', samples })
    const { write, read } = machine.rounds
    return [
      { name: `s3fs, write ${mib} MiB`, unit: 'MiB/s', samples: inside.write, yardstick: beside(write), target: 'reported' },
      { name: `s3fs, read ${mib} MiB`, unit: 'MiB/s', samples: inside.read, yardstick: beside(read), target: 'reported' },
    ]
  })

const disposable = (server: ObjectStorage) => Object.assign(server, { [Symbol.asyncDispose]: () => server.close() })

const options = (server: ObjectStorage, passwordFile: string): string =>
  `-o allow_other,endpoint=us-east-1,url=${server.url},use_path_request_style,passwd_file=${passwordFile}`

const fill = `head -c ${mib * 1024 * 1024} /dev/urandom > /tmp/hundred`

async function inSandbox(server: ObjectStorage, sandbox: Sandbox): Promise<Rounds> {
  const place: Place = { run: (command) => sandbox.commands.run(command, { user: 'root', timeoutMs: 120_000 }) }
  await sandbox.files.write('/root/.passwd-s3fs', `${server.accessKey}:${server.secretKey}`, { user: 'root' })
  await place.run(`chmod 600 /root/.passwd-s3fs; mkdir -p ${mountDirectory}; ${fill}`)
  return new Rounds(place, `s3fs bench ${mountDirectory} ${options(server, '/root/.passwd-s3fs')}`, mountDirectory)
}

/** With the machine's own s3fs (Debian package). */
async function onMachine(server: ObjectStorage, directory: string): Promise<AsyncDisposable & { readonly rounds: Rounds }> {
  const home = await mkdtemp(path.join(directory, 's3fs-'))
  const target = path.join(home, 'mount')
  const passwordFile = path.join(home, 'password')
  await mkdir(target)
  await writeFile(passwordFile, `${server.accessKey}:${server.secretKey}`)
  await chmod(passwordFile, 0o600)
  const source = path.join(home, 'hundred')
  const place: Place = { run: (command) => run('bash', ['-c', command.replaceAll('/tmp/hundred', source)], { timeout: 120_000 }) }
  await place.run(fill)
  return {
    rounds: new Rounds(place, `s3fs bench ${target} ${options(server, passwordFile)}`, target),
    [Symbol.asyncDispose]: async () => {
      await place.run(`umount ${target}`).catch(() => undefined)
      await rm(home, { recursive: true, force: true })
    },
  }
}
