import type { ImageRef } from '../domain/sandbox.ts'

/** When each image was last read whole; kept in memory: a restarted server reads again. */
export class Verified {
  readonly #at = new Map<string, number>()

  lastOf({ name }: ImageRef): number | undefined {
    return this.#at.get(name)
  }

  note({ name }: ImageRef, now: number): void {
    this.#at.set(name, now)
  }

  /** Forgets the images that are not there any more. */
  keep(subjects: readonly { readonly image: ImageRef }[]): void {
    const names = new Set(subjects.map(({ image }) => image.name))
    for (const name of this.#at.keys()) if (!names.has(name)) this.#at.delete(name)
  }
}
