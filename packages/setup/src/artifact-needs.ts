import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'

/** What sandboxes, snapshots, templates and running processes of one data directory were made with; names within their kinds. */
export interface ArtifactNeeds {
  readonly engines: readonly string[]
  readonly agents: readonly string[]
  readonly rootfs: readonly string[]
}

const notesIn = (artifactDirectory: string): string => path.join(artifactDirectory, 'needs')
const noteOf = (artifactDirectory: string, dataDirectory: string): string =>
  path.join(notesIn(artifactDirectory), `${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 20)}.json`)

/**
 * Notes for every set-up on this machine what this data directory needs, in place of what it needed before. To be called at each
 * start of its server, before it makes anything: all that comes is made with what is named already, or with the current version.
 */
export async function noteNeeds(artifactDirectory: string, dataDirectory: string, needs: ArtifactNeeds): Promise<void> {
  const file = noteOf(artifactDirectory, dataDirectory)
  const named = Object.entries(needs).flatMap(([kind, names]) => names.map((name: string) => `${kind}/${name}`))
  await mkdir(notesIn(artifactDirectory), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.${process.pid}`, JSON.stringify([dataDirectory, ...named]), { flush: true })
  await rename(`${file}.${process.pid}`, file)
}

/** For a data directory that is removed on purpose. */
export async function forgetNeeds(artifactDirectory: string, dataDirectory: string): Promise<void> {
  await rm(noteOf(artifactDirectory, dataDirectory), { force: true })
}

/**
 * What is needed on this machine, as `<kind>/<name>`. A data directory that is not there counts until its note is older than
 * `before` (milliseconds since the epoch): its disk may come back. @throws Error when a note cannot be read.
 */
export async function neededArtifacts(artifactDirectory: string, before: number): Promise<Set<string>> {
  const needed = new Set<string>()
  for (const name of await readdir(notesIn(artifactDirectory)).catch(noneYet)) {
    if (!name.endsWith('.json')) continue
    const file = path.join(notesIn(artifactDirectory), name)
    const [dataDirectory = '', ...named] = readNote(await readFile(file, 'utf8'))
    if (!existsSync(dataDirectory) && (await stat(file)).mtimeMs < before) await rm(file, { force: true })
    else for (const one of named) needed.add(one)
  }
  return needed
}

function readNote(text: string): string[] {
  try {
    const parsed: unknown = JSON.parse(text)
    if (Array.isArray(parsed) && parsed.length > 0 && parsed.every((one) => typeof one === 'string')) return parsed
  } catch {
    // No JSON: damaged as well.
  }
  throw new Error('a note of what is needed is damaged; start every server of this machine once, or remove the note in needs/')
}

function noneYet(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}
