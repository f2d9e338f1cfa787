/** The file system that holds images and what sandboxes write. */
export interface Volume {
  /** Whether its files share blocks. Then memory lies on it as well, and everything that is promised must have its room. */
  readonly shares: boolean
  /** Bytes that can still be written. */
  freeBytes(): number
  /** Bytes that it takes for free beyond that: it lies in a file, on a disk that is fuller than it knows. */
  unbackedBytes(): number
  /** Makes what was freed since the last time unreadable on the disk below. */
  trim(): Promise<void>
}
