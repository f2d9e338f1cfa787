import { once } from 'node:events'
import { createServer } from 'node:net'

import { loadConfig } from '@torpor/server/config'
import { describe, expect, it } from 'vitest'

import { addressChecks, nameChecks } from './address-checks.ts'
import { examine } from './doctor.ts'

const configWith = (settings: Record<string, string>) => loadConfig({ TORPOR_DATA_DIR: '/tmp/torpor-doctor-none', ...settings })

describe('the checks of addresses', () => {
  it('find a taken port of either door, and none where TLS is off', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bound = server.address()
    const taken = `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`
    const found = async (settings: Record<string, string>) => (await examine(configWith(settings), addressChecks)).map(({ name }) => name)
    expect(await found({ TORPOR_LISTEN: taken, TORPOR_TLS_LISTEN: '127.0.0.1:0' })).toStrictEqual(['port'])
    expect(await found({ TORPOR_LISTEN: '127.0.0.1:0', TORPOR_TLS_LISTEN: taken })).toStrictEqual(['TLS port'])
    expect(await found({ TORPOR_LISTEN: '127.0.0.1:0', TORPOR_TLS_LISTEN: 'off' })).toStrictEqual([])
    server.close()
  })

  it('find a certificate that cannot be read', async () => {
    const settings = {
      TORPOR_LISTEN: '127.0.0.1:0',
      TORPOR_TLS_LISTEN: '127.0.0.1:0',
      TORPOR_TLS_CERT: '/nowhere.crt',
      TORPOR_TLS_KEY: '/nowhere.key',
    }
    expect(await examine(configWith(settings), addressChecks)).toMatchObject([{ name: 'certificate', severity: 'error' }])
  })
})

describe('the checks of names', () => {
  it('say for a domain of one’s own that a wildcard record is missing, for a local one what resolves it', async () => {
    const [finding] = await examine(configWith({ TORPOR_DOMAIN: 'sbx.invalid:8443' }), nameChecks)
    expect(finding).toMatchObject({ name: 'public names', found: '3000-sandbox.sbx.invalid does not resolve' })
    expect(finding?.mend).toContain('wildcard DNS record')
    expect(nameChecks.find(({ name }) => name === 'local names')?.mend).toContain('apt-get install libnss-myhostname')
  })
})
