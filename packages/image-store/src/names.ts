import path from 'node:path'

import { TorporError } from '@torpor/contract'

const owner = /^[a-z0-9-]{1,64}$/
const image = /^[a-z0-9-]{1,64}\/g\d{1,9}$/

/** Whether a directory entry can be an owner's: what else lies on the volume is not ours. */
export const isOwner = (name: string): boolean => owner.test(name)

/** Where an image stands. @throws TorporError `internal` for a name that this store never gave. */
export function pathOf(directory: string, name: string): string {
  if (!image.test(name)) throw new TorporError('internal', 'No such memory image', { context: { name } })
  return path.join(directory, name)
}
