import ipaddr from 'ipaddr.js'
import { z } from 'zod'

/** What an entry of a list of the outbound network names: a range of addresses in CIDR notation, or host names. */
export type OutboundTarget = { readonly range: string } | { readonly name: string }

/** How many entries a list may have. */
const mostTargets = 512

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const hostName = new RegExp(String.raw`^(?:\*\.)?(?:${label}\.)*${label}$`)

/** An address, a range, a name or `*.` and a name (all names below it, at any depth); undefined for anything else. */
export function readOutbound(text: string): OutboundTarget | undefined {
  const range = readRange(text)
  if (range !== undefined) return { range }
  const name = text.toLowerCase().replace(/\.$/, '')
  // What ends in a number would be read as an address by one program and as a name by another.
  const isName = name.length <= 253 && hostName.test(name) && !/(?:^|\.)[0-9]+$/.test(name)
  return isName ? { name } : undefined
}

/** With the bits behind the prefix cleared, so that `10.1.2.3/8` is `10.0.0.0/8`. */
function readRange(text: string): string | undefined {
  const [address = '', bits, rest] = text.split('/')
  if (rest !== undefined) return undefined
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return rangeOf(ipaddr.IPv4, address, bits ?? '32')
  return ipaddr.IPv6.isValid(address) ? rangeOf(ipaddr.IPv6, address, bits ?? '128') : undefined
}

function rangeOf(family: typeof ipaddr.IPv4 | typeof ipaddr.IPv6, address: string, bits: string): string | undefined {
  const text = `${address}/${bits}`
  return /^\d{1,3}$/.test(bits) && family.isValidCIDR(text)
    ? `${family.networkAddressFromCIDR(text).toString()}/${Number(bits)}`
    : undefined
}

const isRange = (text: string): boolean => 'range' in (readOutbound(text) ?? {})

/** Lists of the outbound network (protocol.md 2.3). What is allowed goes before what is denied. */
export const outboundLists = {
  allowOut: z
    .array(
      z
        .string()
        .refine((text) => readOutbound(text) !== undefined, 'must be an address, a range such as 10.0.0.0/8, a host name or *.name'),
    )
    .max(mostTargets)
    .optional(),
  denyOut: z.array(z.string().refine(isRange, 'must be an address or a range such as 10.0.0.0/8')).max(mostTargets).optional(),
}

/** Body of `PUT /sandboxes/{id}/network`: replaces everything, what is left out is cleared. */
export const networkUpdate = z.looseObject({ ...outboundLists, allow_internet_access: z.boolean().nullish() })
