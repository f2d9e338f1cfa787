import type { ImageDraft } from '@torpor/core'

/** A memory image to be written by the build `fake-1`. */
export const draftOf = (owner: string, generation: number): ImageDraft => ({ owner, generation, kind: 'memory', engineVersion: 'fake-1' })
