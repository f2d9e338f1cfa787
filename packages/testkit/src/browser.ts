import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const name = 'chromium-headless-shell'
const places = ['/usr/bin', '/usr/lib/chromium'].map((directory) => path.join(directory, name))

/** A headless Chromium: Debian's, installed at the first use. @returns its path. */
export async function headlessBrowser(): Promise<string> {
  const found = await installed()
  if (found !== undefined) return found
  process.stderr.write(`installing the Debian package ${name} for the tests with a browser\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { env, timeout: 600_000, maxBuffer: 2 ** 26 }
  await run('apt-get', ['update', '-q'], options)
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', name], options)
  const made = await installed()
  if (made === undefined) throw new Error(`the package ${name} has no program at ${places.join(' or ')}`)
  return made
}

async function installed(): Promise<string | undefined> {
  for (const place of places) {
    const isThere = await access(place).then(
      () => true,
      () => false,
    )
    if (isThere) return place
  }
  return undefined
}
