import type { Sandbox, SandboxApiOpts } from 'e2b'

import { type Connection, type ConnectionFlags, resolveConnection } from './connection.ts'
import { translated } from './problem.ts'
import { ServerApi } from './server-api.ts'

/** A command's way to its server. */
export interface Session {
  readonly connection: Connection
  readonly api: ServerApi
  /** For every call of the SDK. */
  readonly sdk: SandboxApiOpts & { readonly apiUrl: string; readonly sandboxUrl: string }
  /** The SDK, loaded only by who needs it: it takes as long as all the rest. */
  readonly sandboxes: () => Promise<typeof Sandbox>
}

/** Resolves the server and works with it; errors of the SDK come out translated. */
export async function withSession<Result>(flags: ConnectionFlags, work: (session: Session) => Promise<Result>): Promise<Result> {
  const connection = await resolveConnection(flags)
  const { apiUrl, sandboxUrl, domain, apiKey } = connection
  const session: Session = {
    connection,
    api: new ServerApi(connection),
    sdk: { apiUrl, sandboxUrl, apiKey: apiKey.reveal(), debug: false, ...(domain !== undefined && { domain }) },
    sandboxes: async () => (await import('e2b')).Sandbox,
  }
  try {
    return await work(session)
  } catch (error) {
    throw translated(error, apiUrl)
  }
}
