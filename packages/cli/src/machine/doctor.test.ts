import { loadConfig } from '@torpor/server/config'
import { describe, expect, it } from 'vitest'

import type { Check } from './check.ts'
import { checks } from './checks.ts'
import { examine } from './doctor.ts'

const check = (name: string, find: Check['find']): Check => ({ name, severity: 'error', breaks: 'everything', mend: 'mend it', find })

describe('doctor', () => {
  it('tells what was found, and a check that fails is a finding too', async () => {
    const findings = await examine(loadConfig({}), [
      check('fine', () => undefined),
      check('bad', () => Promise.resolve('it is broken')),
      check('worse', () => {
        throw new Error('no such file')
      }),
    ])
    expect(findings.map(({ name, found }) => `${name}: ${found}`)).toStrictEqual([
      'bad: it is broken',
      'worse: could not be checked: no such file',
    ])
    expect(findings[0]).toMatchObject({ severity: 'error', breaks: 'everything', mend: 'mend it' })
  })

  it('names each check once, with what it breaks and what mends it', () => {
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length)
    expect(checks.every(({ breaks, mend }) => breaks !== '' && mend !== '')).toBe(true)
  })

  it('finds a taken port', async () => {
    const { createServer } = await import('node:net')
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const config = loadConfig({ TORPOR_LISTEN: `127.0.0.1:${port}`, TORPOR_DATA_DIR: '/tmp/torpor-doctor-none' })
    const findings = await examine(
      config,
      checks.filter(({ name }) => name === 'port'),
    )
    server.close()
    expect(findings).toMatchObject([{ found: `127.0.0.1:${port}: taken by another program` }])
  })
})
