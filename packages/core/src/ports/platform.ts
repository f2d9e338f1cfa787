/** Time, so that tests can own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls back once after `milliseconds`; gives the function that cancels. Never keeps the process alive. */
  after(milliseconds: number, callback: () => void): () => void
}

/** Tokens that follow from the server's secret and what they are for: stable, stored nowhere. */
export interface Tokens {
  access(sandboxId: string): string
  traffic(sandboxId: string): string
  /** Allows the upload of files under this hash until then (milliseconds since the epoch). */
  upload(hash: string, expiresAt: number): string
}

/** Structured log of the operator. */
export interface Log {
  info(context: Readonly<Record<string, unknown>>, message: string): void
  warn(context: Readonly<Record<string, unknown>>, message: string): void
  error(context: Readonly<Record<string, unknown>>, message: string): void
}
