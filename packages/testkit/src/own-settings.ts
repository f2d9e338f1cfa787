import path from 'node:path'

import { freePort } from './free-port.ts'

/** Settings of a server that shares ports and files with no other one: both addresses stay the same over its restarts. */
export const ownSettings = async (dataDirectory: string) => ({
  TORPOR_DATA_DIR: dataDirectory,
  TORPOR_TRUST_DIR: path.join(dataDirectory, 'trust'),
  TORPOR_LISTEN: `127.0.0.1:${await freePort()}`,
  TORPOR_TLS_LISTEN: `127.0.0.1:${await freePort()}`,
  // Their build takes minutes: a test that needs one asks for it.
  TORPOR_TEMPLATES: 'none',
  // The suites run with images that share blocks; some of them once more with copied bytes.
  TORPOR_VOLUME_SIZE: process.env['TORPOR_VOLUME_SIZE'] ?? 'auto',
})
