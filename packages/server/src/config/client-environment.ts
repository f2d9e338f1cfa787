/**
 * The variables that point the unmodified SDKs of both families, JavaScript and Python, at a server (protocol.md 1.1).
 * @param url origin of API and sandboxes, with its scheme.
 */
export function clientEnvironment(url: string, apiKey: string, domain: string): Record<string, string> {
  const families = ['E2B', 'NOVITA'].map((family) => ({
    [`${family}_API_URL`]: url,
    [`${family}_SANDBOX_URL`]: url,
    [`${family}_API_KEY`]: apiKey,
    [`${family}_DOMAIN`]: domain,
  }))
  return Object.assign({}, ...families)
}
