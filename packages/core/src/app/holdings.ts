import type { ImageRef } from '../domain/sandbox.ts'
import type { ImageStore } from '../ports/images.ts'

const mostImages = 10_000
/** How long a look at memory counts: what it has alone may be given back at any moment. */
const freshMilliseconds = 3000

interface Own {
  readonly bytes: number
  readonly at: number
}

/** What sandboxes that run have of the volume, in bytes, as far as that was looked at. */
export class Holdings {
  readonly #files = new Map<string, number>()
  readonly #memory = new Map<string, Own>()
  /** Grows whenever what a sandbox has alone becomes shared. */
  readonly #sharings = new Map<string, number>()
  /** Images do not change. */
  readonly #ofImages = new Map<string, number>()

  /** Files that a sandbox shares with an image, and would have to copy; undefined when nobody has looked yet. */
  filesOf(sandboxId: string): number | undefined {
    return this.#files.get(sandboxId)
  }

  noteFiles(sandboxId: string, bytes: number): void {
    this.#files.set(sandboxId, bytes)
  }

  /** Memory that it shares with nobody: it needs no more room for that. None when the last look is too long ago. */
  ownMemoryOf(sandboxId: string, now: number): number {
    const own = this.#memory.get(sandboxId)
    return own && now - own.at <= freshMilliseconds ? own.bytes : 0
  }

  /** To be told before and after a capture: all that it has is shared then. */
  share(sandboxId: string): void {
    this.#memory.delete(sandboxId)
    this.#sharings.set(sandboxId, (this.#sharings.get(sandboxId) ?? 0) + 1)
  }

  /** Notes what `look` finds, unless the sandbox was captured meanwhile. */
  async lookAtMemory(sandboxId: string, now: number, look: () => Promise<number>): Promise<void> {
    const sharings = this.#sharings.get(sandboxId)
    const bytes = await look()
    if (this.#sharings.get(sandboxId) === sharings) this.#memory.set(sandboxId, { bytes, at: now })
  }

  /** Bytes of files in an image, at most. @throws TorporError as `ImageStore.diskBytes`. */
  async ofImage(images: Pick<ImageStore, 'diskBytes'>, image: ImageRef): Promise<number> {
    const known = this.#ofImages.get(image.name)
    if (known !== undefined) return known
    const bytes = await images.diskBytes(image)
    this.#ofImages.set(image.name, bytes)
    return bytes
  }

  /** Forgets all other sandboxes, and what is known of images when there are too many. */
  keep(sandboxIds: ReadonlySet<string>): void {
    for (const known of [this.#files, this.#memory, this.#sharings]) {
      for (const id of known.keys()) if (!sandboxIds.has(id)) known.delete(id)
    }
    if (this.#ofImages.size > mostImages) this.#ofImages.clear()
  }
}
