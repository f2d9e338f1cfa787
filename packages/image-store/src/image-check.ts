import { stat } from 'node:fs/promises'
import path from 'node:path'

import { damaged, noticeDamage } from './damage.ts'
import type { NotedFile } from './image-note.ts'
import { sumOf } from './piece-sums.ts'

/** Results that are remembered; the oldest is forgotten first. A sandbox's image has two or three files with a sum. */
const mostResults = 10_000

/** The check before every restore: sizes of all files, content of those with a sum. What was found whole is not read again until it changes. */
export class ImageCheck {
  readonly #found = new Map<string, string>()

  /** @throws TorporError `damaged`. */
  async check(directory: string, files: readonly NotedFile[]): Promise<void> {
    await Promise.all(files.map((file) => noticeDamage(file.name, () => this.#checkFile(path.join(directory, file.name), file))))
  }

  async #checkFile(target: string, { name, size, sha256 }: NotedFile): Promise<void> {
    const found = await stat(target, { bigint: true })
    requireSize(name, size, Number(found.size))
    if (sha256 === undefined) return
    const result = `${found.ino} ${found.size} ${found.mtimeNs} ${sha256}`
    if (this.#found.get(target) === result) return
    requireSum(name, sha256, await sumOf(target))
    this.#remember(target, result)
  }

  #remember(target: string, result: string): void {
    this.#found.delete(target)
    this.#found.set(target, result)
    const [oldest] = this.#found.keys()
    if (this.#found.size > mostResults && oldest !== undefined) this.#found.delete(oldest)
  }
}

export function requireSize(file: string, noted: number, found: number): void {
  if (found !== noted) throw damaged('a file of it has another size than when it was saved', { what: 'size', file, noted, found })
}

export function requireSum(file: string, noted: string, found: string): void {
  if (found !== noted) throw damaged('a file of it is not what was saved', { what: 'content', file, noted, found })
}
