import { readFileSync } from 'node:fs'
import path from 'node:path'

/** The root of the clone. */
export const sourceDirectory = path.resolve(import.meta.dirname, '../../..')

/** The version of this clone. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(sourceDirectory, 'package.json'), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown'
}
