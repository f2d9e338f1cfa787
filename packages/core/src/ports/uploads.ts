/** An archive that a client has sent for a COPY step. */
export interface Upload {
  readonly bytes: number
  readonly content: AsyncIterable<Uint8Array>
}

/** Archives on disk, by the hash under which clients know them; the hash is theirs and says nothing about the content. */
export interface Uploads {
  has(hash: string): Promise<boolean>
  /**
   * Keeps an archive in place of an earlier one of the same hash, once it is whole. `announcedBytes`: what the client says.
   * @throws TorporError `body_too_large`, `no_space`, `invalid_argument` when it ends early.
   */
  receive(hash: string, content: AsyncIterable<Uint8Array>, announcedBytes: number | undefined): Promise<void>
  /** For one reading. @throws TorporError `not_found`. */
  open(hash: string): Promise<Upload>
  /** Removes what an earlier server had not received to the end. To be called before anything is received. */
  clearUnfinished(): Promise<void>
  /** Removes what was not used since `before` (milliseconds since the epoch), and the leftovers of broken uploads. */
  sweep(before: number): Promise<void>
}
