import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { TorporError } from '@torpor/contract'
import type { OciImage, OciImages, OciWish } from '@torpor/core'
import { z } from 'zod'

import { runTool } from './run-tool.ts'

export interface OciImagesOptions {
  /** The tool of oci/. */
  readonly program: string
  /** Of mode 0700, like all above it that matters: images hold setuid files. */
  readonly directory: string
  /** `host:port` of registries that are asked by plain HTTP. */
  readonly insecure: readonly string[]
  /** PEM file of authorities trusted beside the system's; undefined: none. */
  readonly caFile: string | undefined
}

/** What adapting does may change: then root file systems are made anew. */
const adaptation = 2
const mostBytes = 32 * 1024 ** 3
const mostEntries = 4_000_000
const used = '.used'
const partly = '.part'

const resolved = z.looseObject({ reference: z.string(), config: z.object({ env: z.array(z.string()), user: z.string() }) })

/** Root file systems as `rootfs/<name>`, with `<name>.used` beside them; `staging/` holds what is not finished, `layers/` what was fetched. */
export function openOciImages({ program, directory, insecure, caFile }: OciImagesOptions): OciImages {
  const places = {
    rootfs: path.join(directory, 'rootfs'),
    staging: path.join(directory, 'staging'),
    layers: path.join(directory, 'layers'),
  }
  const access = ({ credentials }: OciWish) => ({ insecure, ...(credentials && { auth: credentials }), ...(caFile && { caFile }) })
  /** One at a time for each image: the second finds what the first made. */
  const turns = new Map<string, Promise<unknown>>()

  async function make(name: string, { reference }: OciImage, wish: Parameters<OciImages['prepare']>[1]): Promise<void> {
    const target = path.join(places.rootfs, name)
    for (const place of Object.values(places)) await mkdir(place, { recursive: true, mode: 0o700 })
    await writeFile(target + used, '')
    if (await exists(target)) return
    wish.signal.throwIfAborted()
    const draft = path.join(places.staging, name)
    const request = { command: 'unpack', reference, ...access(wish), layersDirectory: places.layers, target: draft, maxBytes: mostBytes }
    await runTool(program, { ...request, maxEntries: mostEntries }, wish)
    await runTool(program, { command: 'adapt', target: draft }, wish)
    await rename(draft, target)
  }

  return {
    resolve: async (reference, wish) => {
      const result = resolved.parse(await runTool(program, { command: 'resolve', reference, ...access(wish) }, wish))
      return { reference: result.reference, env: environmentOf(result.config.env), user: result.config.user }
    },
    prepare: async (image, wish) => {
      const name = nameOf(image)
      const before = turns.get(name) ?? Promise.resolve()
      const turn = before.then(() => make(name, image, wish))
      const settled = turn.catch(() => undefined)
      turns.set(name, settled)
      try {
        await turn
        return name
      } finally {
        if (turns.get(name) === settled) turns.delete(name)
      }
    },
    clearUnfinished: async () => {
      const layers = (await namesIn(places.layers)).filter((name) => name.endsWith(partly)).map((name) => path.join(places.layers, name))
      const drafts = (await namesIn(places.staging)).map((name) => path.join(places.staging, name))
      // The tool of an earlier server ended with it (oci/caller.go).
      for (const file of [...layers, ...drafts]) await rm(file, { recursive: true, force: true })
    },
    sweep: async (keep, before) => {
      for (const name of await namesIn(places.rootfs)) {
        if (name.endsWith(used) || keep.has(name) || turns.has(name)) continue
        if (await isNewer(path.join(places.rootfs, name + used), before)) continue
        await removeWhole(path.join(places.rootfs, name), places.staging)
        await rm(path.join(places.rootfs, name + used), { force: true })
      }
      for (const place of [places.staging, places.layers]) await sweepOld(place, before, turns)
    },
  }
}

/** By its digest alone: the same image under two names, or of two registries, is one root file system. */
function nameOf({ reference }: OciImage): string {
  const digest = reference.split('@')[1]
  if (!digest) throw new TorporError('internal', 'An image without a digest cannot be used')
  return `oci-${adaptation}-${createHash('sha256').update(digest).digest('hex').slice(0, 32)}`
}

function environmentOf(entries: readonly string[]): Record<string, string> {
  const pairs = entries.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)] as const)
  return Object.fromEntries(pairs.filter(([name]) => name !== ''))
}

/** Gives up its name first: nobody finds half a root. */
async function removeWhole(target: string, staging: string): Promise<void> {
  const gone = path.join(staging, `${path.basename(target)}.gone`)
  await rm(gone, { recursive: true, force: true })
  await rename(target, gone)
  await rm(gone, { recursive: true, force: true })
}

async function sweepOld(directory: string, before: number, busy: ReadonlyMap<string, unknown>): Promise<void> {
  // The tool has its own lock files beside what it makes; while anything is being made, all stays.
  if (busy.size > 0) return
  for (const name of await namesIn(directory)) {
    const file = path.join(directory, name)
    if (!(await isNewer(file, before))) await rm(file, { recursive: true, force: true })
  }
}

const exists = (file: string): Promise<boolean> => isNewer(file, -1)

const isNewer = (file: string, than: number): Promise<boolean> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs >= than,
    () => false,
  )

const namesIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => [])
