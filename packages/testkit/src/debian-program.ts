import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A program that only tests need: Debian's, installed at the first use. @returns its path. */
async function debianProgram(name: string, packageName: string, directories: readonly string[]): Promise<string> {
  const found = await findProgram(name, directories)
  if (found !== undefined) return found
  process.stderr.write(`installing the Debian package ${packageName} for the tests\n`)
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: 600_000, maxBuffer: 2 ** 26 }
  const apt = (...args: string[]) => run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], options)
  await apt('update')
  await apt('install', '-y', '--no-install-recommends', packageName)
  const made = await findProgram(name, directories)
  if (made === undefined) throw new Error(`the package ${packageName} has no program ${name} in ${directories.join(' or ')}`)
  return made
}

/** A headless Chromium. @returns its path. */
export const headlessBrowser = (): Promise<string> =>
  debianProgram('chromium-headless-shell', 'chromium-headless-shell', ['/usr/bin', '/usr/lib/chromium'])

/** Makes the file systems whose files share blocks. @returns its path. */
export const xfsMaker = (): Promise<string> => debianProgram('mkfs.xfs', 'xfsprogs', ['/usr/sbin', '/sbin'])

/** Mounts buckets. @returns its path. */
export const rcloneProgram = (): Promise<string> => debianProgram('rclone', 'rclone', ['/usr/bin'])

async function findProgram(name: string, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const place = path.join(directory, name)
    const isThere = await access(place).then(
      () => true,
      () => false,
    )
    if (isThere) return place
  }
  return undefined
}
