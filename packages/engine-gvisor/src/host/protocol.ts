import type { ErrorKind } from '@torpor/contract'
import type { SpaceUse } from '@torpor/core'
import { z } from 'zod'

/** The typed twin of engine/PROTOCOL.md: the methods of torpor-engine. */
export interface HostMethods {
  boot: { body: StartBody & { readonly files?: string }; answer: { pid: number } }
  restore: { body: StartBody & { readonly image: string }; answer: { pid: number } }
  waitRestored: { body: ExecutionBody; answer: Record<string, never> }
  freeze: { body: ExecutionBody; answer: Record<string, never> }
  thaw: { body: ExecutionBody; answer: Record<string, never> }
  capture: { body: ExecutionBody & { readonly directory: string; readonly direct: boolean }; answer: { bytes: number } }
  captureFiles: HostMethods['capture']
  flush: { body: ExecutionBody; answer: Record<string, never> }
  prefetch: { body: ExecutionBody & { readonly keepFreeBytes: number }; answer: { bytes: number } }
  space: { body: ExecutionBody | { readonly directory: string }; answer: SpaceUse }
  compact: { body: { readonly directory: string }; answer: { bytes: number } }
  destroy: { body: ExecutionBody; answer: Record<string, never> }
  list: { body: Record<string, never>; answer: { executions: HostExecution[] } }
  stats: { body: ExecutionBody; answer: { memoryBytes: number; diskBytes: number; cpuNanoseconds: number; processes: number } }
  version: { body: Record<string, never>; answer: { version: string; runtime: string; pid: number; methods: readonly string[] } }
}

export type HostMethod = keyof HostMethods

interface ExecutionBody {
  readonly execution: string
}

export interface StartBody extends ExecutionBody {
  /** Directory that holds the OCI `config.json`. */
  readonly bundle: string
  readonly overlayDirectory: string
  readonly diskBytes: number
  /** Where its memory lies in files; without it, in the kernel's own memory. */
  readonly memoryDirectory?: string
  /** Its first line says how many bytes of the volume are to stay free of what it writes beyond `diskReserveBytes`. */
  readonly floorFile?: string
  readonly diskReserveBytes?: number
}

const hostExecution = z.object({
  execution: z.string(),
  status: z.enum(['running', 'frozen', 'stopped']),
  pid: z.int(),
  bundle: z.string(),
})
type HostExecution = z.infer<typeof hostExecution>

const nothing = z.object({}).transform(() => ({}))
const started = z.object({ pid: z.int() })
const captured = z.object({ bytes: z.number() })

/** Checks every answer: the host is another program, of possibly another build. */
export const answerSchemas: { readonly [M in HostMethod]: z.ZodType<HostMethods[M]['answer']> } = {
  boot: started,
  restore: started,
  waitRestored: nothing,
  freeze: nothing,
  thaw: nothing,
  capture: captured,
  captureFiles: captured,
  flush: nothing,
  prefetch: captured,
  space: z.object({ bytes: z.number(), allocatedBytes: z.number(), sharedBytes: z.number(), extents: z.number() }),
  compact: captured,
  destroy: nothing,
  list: z.object({ executions: z.array(hostExecution).nullable() }).transform(({ executions }) => ({ executions: executions ?? [] })),
  // Hosts of earlier builds do not know the disk.
  stats: z.object({ memoryBytes: z.number(), diskBytes: z.number().default(0), cpuNanoseconds: z.number(), processes: z.number() }),
  // Nor do they say what they can do.
  version: z.object({ version: z.string(), runtime: z.string(), pid: z.int(), methods: z.array(z.string()).default([]) }),
}

/** The body of a failure. */
export const hostFailure = z.object({ kind: z.string(), message: z.string(), detail: z.string().optional() })

/** How the host's kinds of failure are called in the platform's catalogue. */
export const kindOfFailure: Readonly<Record<string, ErrorKind>> = {
  not_found: 'not_found',
  conflict: 'conflict',
  no_space: 'no_space',
  damaged: 'damaged',
  timed_out: 'timed_out',
}

export const hostEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('keepalive') }),
  z.object({ type: z.literal('exit'), execution: z.string(), status: z.number() }),
  z.object({ type: z.literal('memory'), execution: z.string(), usageBytes: z.number(), limitBytes: z.number() }),
])
export type HostEvent = z.infer<typeof hostEvent>
