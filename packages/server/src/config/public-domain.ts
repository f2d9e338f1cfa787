import type { Config } from './config.ts'
import { defaultDomain } from './env.ts'

/**
 * The domain under which clients reach sandboxes: as configured, or the default one with the port that TLS is really served on.
 * @param tlsPort undefined when it is not served.
 */
export function publicDomain({ domain }: Pick<Config, 'domain'>, tlsPort: number | undefined): string {
  return domain === defaultDomain && tlsPort !== undefined ? domain.replace(/:\d+$/, `:${tlsPort}`) : domain
}
