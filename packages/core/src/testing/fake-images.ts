import { TorporError } from '@torpor/contract'

import type { OciImages } from '../ports/oci-images.ts'

/** A registry with one image, `known`, and one that wants the password `secret`, `private`. */
export const fakeImages: OciImages = {
  resolve: async (reference, { credentials }) => {
    const isOpen =
      reference === 'known' || (reference === 'private' && credentials?.type === 'registry' && credentials.password === 'secret')
    if (!isOpen) throw new TorporError('invalid_argument', `there is no image '${reference}', or these credentials do not lead to it`)
    return { reference: `${reference}@sha256:1`, env: { FROM_IMAGE: 'yes' }, user: 'nobody' }
  },
  prepare: async (_image, { tell }) => {
    tell('info', 'made the user user')
    return 'oci-known'
  },
  clearUnfinished: async () => undefined,
  sweep: async () => undefined,
}
