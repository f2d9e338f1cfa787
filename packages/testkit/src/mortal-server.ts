/** The process of `bootMortal`: a server that kills itself at the step it is told. */
import { loadConfig, loadSecrets, startServer } from '@torpor/server'
import { plainReporter, prepareMachine } from '@torpor/setup'
import { z } from 'zod'

import { sourceDirectory } from './world.ts'

const order = z.object({ dieAt: z.string() })
let dieAt = ''
process.on('message', (message) => {
  dieAt = order.parse(message).dieAt
  process.send?.({ agreed: dieAt })
})

const config = loadConfig()
const places = { ...config, sourceDirectory, searchPath: (process.env['PATH'] ?? '').split(':') }
const artifacts = await prepareMachine(places, plainReporter(process.stderr), new AbortController().signal)
const secrets = loadSecrets(config.dataDirectory, config)
const server = await startServer({
  config,
  secrets,
  artifacts,
  reached: (step) => {
    if (step === dieAt) process.kill(process.pid, 'SIGKILL')
  },
})
process.on('disconnect', () => void server.close().then(() => process.exit(0)))
process.send?.({ address: server.address })
