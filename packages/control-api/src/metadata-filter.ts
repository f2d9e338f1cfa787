import { TorporError } from '@torpor/contract'

/**
 * The pairs of a `metadata` query parameter as it is after the normal query parse. SDKs encode three times: the framework has
 * undone one, the whole string is unescaped here, then every key and value (protocol.md 2.1).
 * @throws TorporError `invalid_argument`.
 */
export function parseMetadataFilter(parameter: string): Record<string, string> {
  if (parameter === '') return {}
  const pairs = unescapeQuery(parameter)
    .split('&')
    .map((piece) => {
      const [key, value, ...rest] = piece.split('=')
      if (key === undefined || value === undefined || rest.length > 0) throw malformed()
      return [unescapeQuery(key), unescapeQuery(value)] as const
    })
  return Object.fromEntries(pairs)
}

function unescapeQuery(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw malformed(cause)
  }
}

const malformed = (cause?: unknown): TorporError =>
  new TorporError('invalid_argument', 'metadata: must be pairs key=value joined by &, each key and value percent-encoded', { cause })
