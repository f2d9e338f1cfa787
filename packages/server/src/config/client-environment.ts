/** What a client needs to know of a server. */
export interface ClientAccess {
  /** Origin of API and sandboxes over plain HTTP, with its scheme. */
  readonly url: string
  readonly apiKey: string
  /** Host names of sandboxes end with it; with the port that clients connect to. */
  readonly domain: string
  /** Files with certificates that are to be trusted: ours alone, and those of the system with ours. undefined: none is needed. */
  readonly trust: { readonly authority: string; readonly bundle: string } | undefined
}

/** The variables that point the unmodified SDKs of both families, JavaScript and Python, at a server (protocol.md 1.1, 1.6). */
export function clientEnvironment({ url, apiKey, domain, trust }: ClientAccess): Record<string, string> {
  const families = ['E2B', 'NOVITA'].map((family) => ({
    [`${family}_API_URL`]: url,
    [`${family}_SANDBOX_URL`]: url,
    [`${family}_API_KEY`]: apiKey,
    [`${family}_DOMAIN`]: domain,
  }))
  // Node adds to what it trusts; the others replace it.
  const trusted = trust && { NODE_EXTRA_CA_CERTS: trust.authority, SSL_CERT_FILE: trust.bundle, REQUESTS_CA_BUNDLE: trust.bundle }
  return Object.assign({}, ...families, trusted)
}
