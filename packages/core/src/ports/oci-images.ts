/** How a registry is convinced, as clients send it (protocol.md 2.3). Secret: for the registry's tool only. */
export type RegistryCredentials =
  | { readonly type: 'registry'; readonly username: string; readonly password: string }
  | { readonly type: 'aws'; readonly awsAccessKeyId: string; readonly awsSecretAccessKey: string; readonly awsRegion: string }
  | { readonly type: 'gcp'; readonly serviceAccountJson: string }

/** An image of a registry, pinned. */
export interface OciImage {
  /** With its digest: means the same for ever. */
  readonly reference: string
  readonly env: Readonly<Record<string, string>>
  /** As whom its own process would run; empty when it does not say. */
  readonly user: string
}

export interface OciWish {
  readonly credentials: RegistryCredentials | undefined
  /** Ends it; it then rejects with the signal's reason. */
  readonly signal: AbortSignal
}

/** Images of OCI registries and the root file systems that are made of them, addressed by digest. */
export interface OciImages {
  /**
   * What a name means now, for this machine's processor.
   * @throws TorporError `invalid_argument` (also for wrong credentials and what does not exist), `unavailable`.
   */
  resolve(reference: string, wish: OciWish): Promise<OciImage>
  /**
   * Makes the root file system of an image, fit for a sandbox, unless it is there; gives its name for `Base`. `tell` hears what its
   * user should know. @throws TorporError as `resolve`, `no_space`.
   */
  prepare(image: OciImage, wish: OciWish & { readonly tell: (level: 'info' | 'warn', message: string) => void }): Promise<string>
  /** Removes what an earlier server had fetched and unpacked in part; whole layers stay. To be called before anything is prepared. */
  clearUnfinished(): Promise<void>
  /** Removes root file systems that `keep` does not name, and fetched layers, not used since `before` (milliseconds since the epoch). */
  sweep(keep: ReadonlySet<string>, before: number): Promise<void>
}
