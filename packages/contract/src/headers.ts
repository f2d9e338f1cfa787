/** Headers by which SDKs choose a sandbox and a port on a shared origin (protocol.md 1.3, 1.4); lower case. */
export const routingHeaders = [
  { id: 'e2b-sandbox-id', port: 'e2b-sandbox-port' },
  { id: 'novita-sandbox-id', port: 'novita-sandbox-port' },
] as const

/** The sandbox's own token, checked by its agent. */
export const accessTokenHeader = 'x-access-token'

/** Lets a request into a sandbox whose public traffic is restricted (protocol.md 3.10). */
export const trafficTokenHeader = 'e2b-traffic-access-token'

/** Present in every call of the Novita SDKs: the reliable way to tell the families apart (protocol.md 1.2). */
export const novitaSdkHeader = 'x-novita-sdk-name'

/** Names the language of every SDK: `python` in both families, `js`… (protocol.md 1.2). */
export const languageHeader = 'lang'

/** The id under which a request stands in the log; answered on every response. */
export const requestIdHeader = 'x-request-id'

/** The port of the agent inside every sandbox. */
export const agentPort = 49983

/** The version of the original daemon whose behaviour the agent has (protocol.md 3.8). */
export const envdVersion = '0.6.13'
