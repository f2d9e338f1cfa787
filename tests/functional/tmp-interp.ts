import { writeFileSync } from 'node:fs'

import { bootWorld } from '@torpor/testkit'
const world = await bootWorld({ TORPOR_TEMPLATES: 'code-interpreter-lean', TORPOR_LOG_LEVEL: 'info' })
writeFileSync('/tmp/interp-env.json', JSON.stringify({ ...world.env, url: world.url, key: world.apiKey }))
process.on('SIGTERM', () => void world.close().then(() => process.exit(0)))
