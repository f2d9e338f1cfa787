import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld, pythonWith } from '@torpor/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const run = promisify(execFile)
const clients = path.join(import.meta.dirname, 'clients')
let world: TestWorld
let python: string

beforeAll(async () => {
  world = await bootWorld()
  python = await pythonWith(path.join(import.meta.dirname, 'python', 'requirements.txt'), world.artifactDirectory)
})
afterAll(() => world.close())

/** What `torpor env` prints, without the URLs: the domain alone leads the client. */
function environmentByDomain(): Record<string, string> {
  const named = Object.entries(world.env).filter(([name]) => !name.endsWith('_URL'))
  return { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(named) }
}

const told = z.object({ printed: z.string(), read: z.string(), host: z.string() })

/** A program that is started anew: Node reads the authorities it trusts when it starts. */
async function client(program: string, args: readonly string[]): Promise<z.infer<typeof told>> {
  const { stdout } = await run(program, args, { env: environmentByDomain(), timeout: 60_000 })
  return told.parse(JSON.parse(stdout))
}

describe('by the domain alone, over TLS', () => {
  const expected = { printed: 'hello from user\n', read: 'written', host: expect.stringMatching(/^3000-[a-z0-9-]+\.sbx\.localhost:\d+$/) }

  test.each(['novita-sandbox-1', 'e2b-1', 'novita-sandbox', 'e2b'])(
    '%s from npm creates, runs, writes, connects and kills',
    async (sdk) => {
      const argv = ['--disable-warning=ExperimentalWarning', path.join(clients, 'by-domain.ts'), sdk]
      expect(await client(process.execPath, argv)).toEqual(expected)
    },
  )

  test.each(['novita_sandbox', 'e2b'])('%s from PyPI does as well', async (sdk) => {
    expect(await client(python, [path.join(clients, 'by_domain.py'), sdk])).toEqual(expected)
  })
})
