import type { ImageKind, ImageRef } from '../domain/sandbox.ts'

/** What is to be written: whose, in which order, of what kind, by which engine build. */
export interface ImageDraft {
  /** A sandbox, a snapshot or a template build. */
  readonly owner: string
  readonly generation: number
  readonly kind: ImageKind
  readonly engineVersion: string
  /** Of kind `memory`: bytes of files in it. A sandbox that is made of it may come to copy them. */
  readonly diskBytes?: number
}

/** An image being written: not visible until `commit`. */
export interface StagedImage {
  /** An empty directory for the engine's `capture`. */
  readonly directory: string
  /** Makes it durable (files, then directory, are synced), renames it into place; crash-safe at every point. */
  commit(): Promise<ImageRef>
  /** Removes what was written; does nothing after `commit`. */
  discard(): Promise<void>
}

/** Bytes of an image: as its files say, and as the disk spends on it (blocks may be shared with other images). */
export interface ImageUsage {
  readonly bytes: number
  readonly allocatedBytes: number
}

/** Images on disk, addressed by owner and generation. */
export interface ImageStore {
  /** @throws TorporError `no_space` when fewer than `expectedBytes` plus a reserve are free. */
  stage(draft: ImageDraft, expectedBytes: number): Promise<StagedImage>
  /**
   * The directory of a committed image, for the engine's `restore`. Checks what can be checked in a moment: presence and size of
   * every file, and the content of all but the pages. @throws TorporError `not_found`, `damaged`.
   */
  locate(image: ImageRef): Promise<string>
  /**
   * Reads an image whole, at most `bytesPerSecond` and with low priority, and compares it with the sums noted at the first such
   * reading; the first one notes them. @throws TorporError `not_found`, `damaged`; the signal's reason when aborted.
   */
  verify(image: ImageRef, options: { readonly bytesPerSecond: number; readonly signal: AbortSignal }): Promise<'noted' | 'intact'>
  usage(image: ImageRef): Promise<ImageUsage>
  /** Bytes of files in it, at most. @throws TorporError `not_found`, `damaged`. */
  diskBytes(image: ImageRef): Promise<number>
  /** Removes a committed image; succeeds when it is not there. */
  remove(image: ImageRef): Promise<void>
  /** Removes every image and leftover that `keep` does not name; gives the names removed. Run at start. */
  sweep(keep: readonly ImageRef[]): Promise<string[]>
}
