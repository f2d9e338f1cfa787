import path from 'node:path'

/** Where the parts of a volume in a file stand. */
export interface Places {
  readonly dataDirectory: string
  /** The sparse file with the file system in it. */
  readonly file: string
  /** The same while it is made: never taken for a volume. */
  readonly draft: string
  readonly mountPoint: string
  /** Held by who makes, attaches, mounts or unmounts. */
  readonly lock: string
}

export const placesOf = (dataDirectory: string): Places => ({
  dataDirectory,
  file: path.join(dataDirectory, 'volume.img'),
  draft: path.join(dataDirectory, 'volume.img.new'),
  mountPoint: path.join(dataDirectory, 'volume'),
  lock: path.join(dataDirectory, 'volume.lock'),
})
