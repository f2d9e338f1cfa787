/** MiB of a volume; `auto`: what fits; `off`: none is made, and nothing shares blocks. */
export type VolumeSize = 'auto' | 'off' | number

export interface VolumeOptions {
  /** Exists already. */
  readonly dataDirectory: string
  readonly size: VolumeSize
  /** Hears notes for the operator. */
  readonly tell: (message: string) => void
  /** The directories of PATH, in which the system's commands are looked for. */
  readonly searchPath: readonly string[]
}

/** Where images, memory and writable layers lie: one file system, whose files share blocks where it can. */
export interface Volume {
  /** Holds `images/`, `memory/` and `overlays/`, made by who uses them: the data directory itself, or the mount point of a volume in a file. */
  readonly directory: string
  /** Whether its files share blocks. */
  readonly shares: boolean
  readonly kind: 'data directory' | 'loop' | 'none'
  /** Of the kind `none`: why, and what would mend it; for the operator. */
  readonly reason: string | undefined
  /** Bytes that can still be written: in a sparse file never more than the file system below it has, less a reserve. Cheap. */
  freeBytes(): number
  /** Bytes that a sparse file has for free, and the file system below it has not. */
  unbackedBytes(): number
  /** Size in bytes. */
  totalBytes(): number
  /**
   * Gives what was freed since the last time back to the disk below, where nobody can read it then. Nothing for a data directory of its own: its
   * operator decides.
   */
  trim(): Promise<void>
  /**
   * Trims it, unmounts it and detaches its device. What is in use, or not mounted by us, stays as it is, and `tell` hears so. Does nothing
   * for the other kinds.
   */
  close(): Promise<void>
}

/** What keeps this machine from having a volume. */
export interface Obstacle {
  readonly why: string
  /** The command or the action that mends it. */
  readonly mend: string
}

export const sentenceOf = ({ why, mend }: Obstacle): string => `${why} (mend: ${mend})`
