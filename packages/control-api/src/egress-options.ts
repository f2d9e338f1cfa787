import type { EgressOptions, SandboxRecord } from '@torpor/core'

interface Lists {
  readonly allowOut?: readonly string[] | undefined
  readonly denyOut?: readonly string[] | undefined
}

/** A body's rules about the outside; what is left out allows and denies nothing. */
export const egressOptions = ({ allowOut, denyOut }: Lists, allowInternetAccess: boolean | null | undefined): EgressOptions => ({
  allowInternetAccess: allowInternetAccess ?? null,
  allowOut: allowOut ?? [],
  denyOut: denyOut ?? [],
})

/** What a call that restricts a sandbox besides asks for; undefined: nothing about the outside. What it leaves out stays. */
export function newEgress(lists: Lists | null | undefined, { network }: SandboxRecord): EgressOptions | undefined {
  if (lists?.allowOut === undefined && lists?.denyOut === undefined) return undefined
  const { allowInternetAccess, allowOut, denyOut } = network
  return { allowInternetAccess, allowOut: lists.allowOut ?? allowOut, denyOut: lists.denyOut ?? denyOut }
}
