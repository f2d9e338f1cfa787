import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const run = promisify(execFile)
const clients = path.join(import.meta.dirname, 'clients')
let world: TestWorld

beforeAll(async () => {
  world = await bootWorld()
})
afterAll(() => world.close())

/** What `torpor env` prints, without the URLs: the domain alone leads the client. */
function environmentByDomain(): Record<string, string> {
  const named = Object.entries(world.env).filter(([name]) => !name.endsWith('_URL'))
  return { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(named) }
}

async function client(file: string, ...args: string[]): Promise<unknown> {
  const argv = ['--disable-warning=ExperimentalWarning', path.join(clients, file), ...args]
  const { stdout } = await run(process.execPath, argv, { env: environmentByDomain(), timeout: 60_000 })
  return JSON.parse(stdout)
}

const told = z.object({ printed: z.string(), read: z.string(), host: z.string() })

describe('by the domain alone, over TLS', () => {
  test.each(['novita-sandbox-1', 'e2b-1', 'novita-sandbox', 'e2b'])('%s creates, runs, writes, connects and kills', async (sdk) => {
    const { printed, read, host } = told.parse(await client('legacy.ts', sdk))
    expect([printed, read]).toEqual(['hello from user\n', 'written'])
    expect(host).toMatch(/^3000-[a-z0-9-]+\.sbx\.localhost:\d+$/)
  })
})
