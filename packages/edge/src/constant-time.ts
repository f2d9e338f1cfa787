import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether two secrets are equal, in a time that tells nothing of where they differ. */
export const sameSecret = (one: string, other: string): boolean => timingSafeEqual(sha256(one), sha256(other))

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The key under which a token is looked up: a map's comparison then leaks nothing of the token. */
export const tokenHash = (token: string): string => sha256(token).toString('hex')
