import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'

import { loadConfig } from '@torpor/server'
import { type MortalServer, bootMortal, readyArtifacts } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'

let server: MortalServer
beforeAll(async () => {
  server = await bootMortal({ TORPOR_WARM_POOL: '0' })
  Object.assign(process.env, server.env)
})
afterAll(async () => {
  await server?.close()
  await server?.remove()
})

const { artifactDirectory } = loadConfig({ TORPOR_ARTIFACT_DIR: process.env['TORPOR_ARTIFACT_DIR'] })

/** What later set-ups keep for this server's data directory. */
async function noted(): Promise<string[] | undefined> {
  const notes = path.join(artifactDirectory, 'needs')
  for (const name of (await readdir(notes)).filter((one) => one.endsWith('.json'))) {
    const text = await readFile(path.join(notes, name), 'utf8').catch(() => '')
    if (text.startsWith(JSON.stringify([server.dataDirectory]).slice(0, -1))) return JSON.parse(text)
  }
  return undefined
}

test('P3: a server notes what its sandboxes need before it serves, so that no later set-up removes it', async () => {
  const sandbox = await Sandbox.create()
  await sandbox.pause()
  await server.powerCut()
  await server.restart()
  const { engineVersion, agentHash, rootfs } = await readyArtifacts({ artifactDirectory, dataDirectory: server.dataDirectory })
  expect(await noted()).toEqual(expect.arrayContaining([`engines/${engineVersion}`, `agents/${agentHash}`, `rootfs/${rootfs.name}`]))
  Object.assign(process.env, server.env)
  await Sandbox.kill(sandbox.sandboxId)
})
