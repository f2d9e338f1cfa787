import type { ImageRef } from '../domain/sandbox.ts'

/** An image being written: not visible until `commit`. */
export interface StagedImage {
  /** An empty directory for the engine's `capture`. */
  readonly directory: string
  /** Makes it durable (files, then directory, are synced), renames it into place; crash-safe at every point. */
  commit(): Promise<ImageRef>
  /** Removes what was written; does nothing after `commit`. */
  discard(): Promise<void>
}

/** Memory images on disk, addressed by owner (sandbox or template build) and generation. */
export interface ImageStore {
  /** @throws TorporError `no_space` when fewer than `expectedBytes` plus a reserve are free. */
  stage(owner: string, generation: number, engineVersion: string, expectedBytes: number): Promise<StagedImage>
  /** The directory of a committed image, for the engine's `restore`. @throws TorporError `not_found`. */
  locate(image: ImageRef): Promise<string>
  /** Removes a committed image; succeeds when it is not there. */
  remove(image: ImageRef): Promise<void>
  /** Removes every image and leftover that `keep` does not name; gives the names removed. Run at start. */
  sweep(keep: readonly ImageRef[]): Promise<string[]>
}
