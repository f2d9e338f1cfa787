/** What a client needs to know of a server. */
export interface ClientAccess {
  /** Origin of API and sandboxes over plain HTTP, with its scheme. */
  readonly url: string
  readonly apiKey: string
  /** Host names of sandboxes end with it; with the port that clients connect to. */
  readonly domain: string
  /** File with the certificates that are to be trusted: those of the system and ours. undefined: none is needed. */
  readonly trust: { readonly bundle: string } | undefined
}

/** The variables that point the unmodified SDKs of both families, JavaScript and Python, at a server (protocol.md 1.1, 1.6). */
export function clientEnvironment({ url, apiKey, domain, trust }: ClientAccess): Record<string, string> {
  const families = ['E2B', 'NOVITA'].map((family) => ({
    [`${family}_API_URL`]: url,
    [`${family}_SANDBOX_URL`]: url,
    [`${family}_API_KEY`]: apiKey,
    [`${family}_DOMAIN`]: domain,
  }))
  // Node would add ours alone to what it brings along; but where the variable named the machine's authorities before, a proxy's for
  // one, they would be lost.
  const names = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE']
  const trusted = trust && Object.fromEntries(names.map((name) => [name, trust.bundle]))
  return Object.assign({}, ...families, trusted)
}
