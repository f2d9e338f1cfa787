/** Paths of the agent that are for the host only (protocol.md 3.1). */
const reserved = new Set(['init', 'freeze', 'unfreeze', 'collapse', 'fsfreeze', 'fsthaw', 'upgrade', 'forward', 'logs', 'oom'])

/** The target of a request in origin form: `http://host/a?b` of a proxy request becomes `/a?b`. Undefined for `*` and alike. */
export function originForm(target: string): string | undefined {
  if (target.startsWith('/')) return target
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)?.[1]
  if (rest === undefined) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The path without query, as it came. */
export const pathOf = (target: string): string => (originForm(target) ?? target).split(/[?#]/, 1)[0] ?? ''

/** The query, decoded. */
export function queryOf(target: string): URLSearchParams {
  const start = target.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : target.slice(start + 1).split('#', 1)[0])
}

/**
 * Whether a server that cleans paths, in whatever way, could take `path` for one that only the host may call. Decodes until
 * nothing changes, so that no spelling slips through.
 */
export const isReserved = (path: string): boolean => reserved.has((segmentsOf(path)[0] ?? '').toLowerCase())

/** Whether `path` is the agent's health check. */
export const isHealth = (path: string): boolean => segmentsOf(path).join('/') === 'health'

function segmentsOf(path: string): string[] {
  const segments: string[] = []
  for (const segment of decodeFully(path).split(/[/\\]/)) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return segments
}

function decodeFully(path: string): string {
  const decoded = path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return decoded === path ? path : decodeFully(decoded)
}
