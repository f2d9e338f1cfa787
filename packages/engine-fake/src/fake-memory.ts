import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { TorporError } from '@torpor/contract'
import { z } from 'zod'

const identity = z.object({
  sandboxId: z.string().optional(),
  templateId: z.string().optional(),
  hostname: z.string().optional(),
  accessToken: z.string().optional(),
  envVars: z.record(z.string(), z.string()).optional(),
  timestamp: z.string().optional(),
  defaultUser: z.string().optional(),
  nameservers: z.array(z.string()).optional(),
})

/** What the fake agent was told by `POST /init`; the wire's words. */
export type FakeIdentity = z.infer<typeof identity>

/** What a sandbox keeps over freeze, capture and restore. */
export interface FakeMemory {
  /** Grows with every `POST /count`: the one thing to be remembered. */
  counter: number
  identity: FakeIdentity
  /** Ports that the test opened, with the number of their handler on the machine. */
  readonly services: Map<number, number>
}

export const newMemory = (): FakeMemory => ({ counter: 0, identity: {}, services: new Map() })

export const parseIdentity = (text: string): FakeIdentity => identity.parse(JSON.parse(text))

const imageFile = 'fake-image.json'
const image = z.object({
  engineVersion: z.string(),
  counter: z.number(),
  identity,
  services: z.array(z.tuple([z.number(), z.number()])),
})

/** Writes the memory image; like the real one, not synced. */
export async function writeImage(directory: string, engineVersion: string, memory: FakeMemory): Promise<void> {
  const content = { engineVersion, counter: memory.counter, identity: memory.identity, services: [...memory.services] }
  try {
    await writeFile(path.join(directory, imageFile), JSON.stringify(content), { flag: 'wx' })
  } catch (cause) {
    const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
    throw new TorporError(full ? 'no_space' : 'internal', 'The memory image could not be written', { context: { directory }, cause })
  }
}

/** @throws TorporError `internal` for a damaged image or one that another engine build wrote. */
export async function readImage(directory: string, engineVersion: string): Promise<FakeMemory> {
  const content = await read(directory)
  if (content.engineVersion !== engineVersion) {
    throw new TorporError('internal', 'The memory image is of another engine build', {
      context: { directory, wrote: content.engineVersion },
    })
  }
  return { counter: content.counter, identity: content.identity, services: new Map(content.services) }
}

async function read(directory: string): Promise<z.infer<typeof image>> {
  try {
    return image.parse(JSON.parse(await readFile(path.join(directory, imageFile), 'utf8')))
  } catch (cause) {
    throw new TorporError('internal', 'The memory image cannot be read', { context: { directory }, cause })
  }
}
