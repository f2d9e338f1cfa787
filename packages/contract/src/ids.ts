import { z } from 'zod'

/**
 * Sandbox ids become DNS labels and gVisor container names: `i` + 20 of `[a-z0-9]`, lower case, no dash
 * (protocol.md 1.4).
 */
export const sandboxIdPattern = /^i[a-z0-9]{20}$/

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** `length` characters of `[a-z0-9]` from the system's cryptographic generator, without modulo bias. */
export function randomLabel(length: number): string {
  let label = ''
  while (label.length < length) {
    for (const byte of globalThis.crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 252 && label.length < length) label += alphabet.charAt(byte % 36)
    }
  }
  return label
}

/** A new sandbox id: 103 bits of randomness. */
export const newSandboxId = (): string => `i${randomLabel(20)}`

/** A new id of an engine process (an execution): one per boot or restore. */
export const newExecutionId = (): string => `x${randomLabel(20)}`

/** Ids of templates and snapshots. */
export const templateIdPattern = /^[a-z0-9]{20}$/

/** A new id of a template or of a snapshot. */
export const newTemplateId = (): string => randomLabel(20)

/** A new id of a template's build: a UUID, which the Python SDKs insist on (protocol.md 2.5). */
export const newBuildId = (): string => globalThis.crypto.randomUUID()

/**
 * The sandbox id in a path or host name. Old clients glue a client id behind a dash, which is cut
 * (protocol.md 2.1). Gives undefined for what cannot be an id.
 */
export function parseSandboxId(text: string): string | undefined {
  const id = text.split('-', 1)[0] ?? ''
  return sandboxIdPattern.test(id) ? id : undefined
}

/** The constant that E2B answers as `clientID`; deprecated, but the schema requires it (protocol.md 2.3). */
export const clientId = '6532622b'

export const templateIdSchema = z.string().min(1).max(256)
