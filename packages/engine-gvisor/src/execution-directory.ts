import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { z } from 'zod'

const texts = z.array(z.string()).readonly()

const note = z.object({
  execution: z.string(),
  slot: z.int(),
  engineVersion: z.string(),
  egress: z.object({ allow: texts, allowNames: texts, deny: texts }),
  /** Whether its memory lies in files of the volume. */
  onVolume: z.boolean().default(false),
})

/** What must be known of an execution to find it again after a restart. */
export type ExecutionNote = Readonly<z.infer<typeof note>>

/** One directory per execution: the OCI bundle, and a note of what belongs to it; and one for the file of the root's writes. */
export class ExecutionDirectories {
  readonly #root: string
  readonly #overlays: string

  /** @param overlays holds what roots take of writes: best on the volume of the images. */
  constructor(root: string, overlays: string) {
    this.#root = root
    this.#overlays = overlays
  }

  pathOf(execution: string): string {
    return path.join(this.#root, execution)
  }

  overlayOf(execution: string): string {
    return path.join(this.#overlays, execution)
  }

  /** The note is written before anything is acquired in its name, so that a crash leaves nothing unknown. */
  async create(entry: ExecutionNote, ociSpec: object): Promise<void> {
    await mkdir(this.pathOf(entry.execution), { recursive: true, mode: 0o700 })
    await this.write(entry)
    await mkdir(this.overlayOf(entry.execution), { recursive: true, mode: 0o700 })
    await writeFile(path.join(this.pathOf(entry.execution), 'config.json'), JSON.stringify(ociSpec))
  }

  /** Replaces the note: the old one or the new one is there, whenever this process ends. */
  async write(entry: ExecutionNote): Promise<void> {
    const file = path.join(this.pathOf(entry.execution), 'execution.json')
    await writeFile(`${file}.new`, JSON.stringify(entry))
    await rename(`${file}.new`, file)
  }

  /** The note goes last: it is what the rest would be found by. */
  async remove(execution: string): Promise<void> {
    await rm(this.overlayOf(execution), { recursive: true, force: true })
    await rm(this.pathOf(execution), { recursive: true, force: true })
  }

  /** All notes that can be read; a directory without one never got as far as a process and is removed. */
  async all(): Promise<ExecutionNote[]> {
    for (const directory of [this.#root, this.#overlays]) await mkdir(directory, { recursive: true, mode: 0o700 })
    const names = new Set([...(await readdir(this.#root)), ...(await readdir(this.#overlays))])
    const notes = await Promise.all([...names].map((name) => this.#read(name)))
    return notes.filter((entry) => entry !== undefined)
  }

  async #read(name: string): Promise<ExecutionNote | undefined> {
    try {
      return note.parse(JSON.parse(await readFile(path.join(this.#root, name, 'execution.json'), 'utf8')))
    } catch {
      await this.remove(name)
      return undefined
    }
  }
}
