import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { TorporError } from '@torpor/contract'
import { codeOf } from '@torpor/file-system'
import { z } from 'zod'

const identity = z.object({
  sandboxId: z.string().optional(),
  templateId: z.string().optional(),
  hostname: z.string().optional(),
  accessToken: z.string().optional(),
  envVars: z.record(z.string(), z.string()).optional(),
  timestamp: z.string().optional(),
  defaultUser: z.string().optional(),
  defaultWorkdir: z.string().optional(),
  nameservers: z.array(z.string()).optional(),
})

/** What the fake agent was told by `POST /init`; the wire's words. */
export type FakeIdentity = z.infer<typeof identity>

/** What a sandbox keeps over freeze, capture and restore. */
export interface FakeMemory {
  /** Grows with every `POST /count`: the one thing to be remembered. */
  counter: number
  identity: FakeIdentity
  /** New for every boot, kept by a restore. */
  readonly bootId: string
  /** Ports that the test opened, with the number of their handler on the machine. */
  readonly services: Map<number, number>
  /** What its processes take: pid to bytes. */
  readonly processes: Map<number, number>
  /** The files of the root, path to content: all that `captureFiles` keeps. */
  readonly files: Map<string, string>
  /** The processes that were started since the boot, by their arguments. */
  readonly commands: string[]
}

export const newMemory = (files: ReadonlyMap<string, string> = new Map()): FakeMemory => ({
  counter: 0,
  identity: {},
  bootId: randomUUID(),
  services: new Map(),
  processes: new Map(),
  files: new Map(files),
  commands: [],
})

export const parseIdentity = (text: string): FakeIdentity => identity.parse(JSON.parse(text))

const files = z.array(z.tuple([z.string(), z.string()]))
const filesImage = z.object({ engineVersion: z.string(), files })
const memoryImage = filesImage.extend({
  counter: z.number(),
  identity,
  bootId: z.string(),
  commands: z.array(z.string()),
  services: z.array(z.tuple([z.number(), z.number()])),
  processes: z.array(z.tuple([z.number(), z.number()])),
})

/** Writes the memory image; like the real one, not synced. */
export function writeImage(directory: string, engineVersion: string, memory: FakeMemory): Promise<void> {
  const { services, processes, files: written } = memory
  const content = { ...memory, engineVersion, services: [...services], processes: [...processes], files: [...written] }
  return write(path.join(directory, 'fake-memory.json'), content)
}

/** Writes an image of the files alone. */
export const writeFiles = (directory: string, engineVersion: string, memory: FakeMemory): Promise<void> =>
  write(path.join(directory, 'fake-files.json'), { engineVersion, files: [...memory.files] })

/** @throws TorporError `damaged` for what is no image, or one that another engine build wrote. */
export async function readImage(directory: string, engineVersion: string): Promise<FakeMemory> {
  const content = await read(path.join(directory, 'fake-memory.json'), memoryImage, engineVersion)
  const { counter, bootId } = content
  return {
    counter,
    identity: content.identity,
    bootId,
    services: new Map(content.services),
    processes: new Map(content.processes),
    files: new Map(content.files),
    commands: content.commands,
  }
}

/** A fresh memory on the files of an image. @throws TorporError `damaged`. */
export async function readFiles(directory: string, engineVersion: string): Promise<FakeMemory> {
  return newMemory(new Map((await read(path.join(directory, 'fake-files.json'), filesImage, engineVersion)).files))
}

async function write(file: string, content: object): Promise<void> {
  try {
    await writeFile(file, JSON.stringify(content), { flag: 'wx' })
  } catch (cause) {
    const full = codeOf(cause) === 'ENOSPC' || codeOf(cause) === 'EDQUOT'
    throw new TorporError(full ? 'no_space' : 'internal', 'The image could not be written', { context: { file }, cause })
  }
}

async function read<T extends { engineVersion: string }>(file: string, schema: z.ZodType<T>, engineVersion: string): Promise<T> {
  const content = await parse(file, schema)
  if (content.engineVersion === engineVersion) return content
  throw new TorporError('damaged', 'The image is of another engine build', { context: { file, wrote: content.engineVersion } })
}

async function parse<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new TorporError('damaged', 'The image cannot be read', { context: { file }, cause })
  }
}
