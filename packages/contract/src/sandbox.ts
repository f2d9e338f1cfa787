import { z } from 'zod'

import { outboundLists } from './outbound.ts'

/** States that clients ask for and know of (protocol.md 2.3). */
export const publicStates = ['running', 'paused'] as const
export type PublicState = (typeof publicStates)[number]

/** `snapshotting`: running, but standing still for a moment while its state is kept (promise P21). */
const shownState = z.enum([...publicStates, 'snapshotting'])
export type ShownState = z.infer<typeof shownState>

const stringMap = z.record(z.string().max(1024), z.string().max(65_536))

/** Seconds; a value of 0 or below has its own sentence, because SDK users meet it (protocol.md 2.5). */
export const timeoutSeconds = z
  .number({ error: 'timeout must be a number of seconds' })
  .refine(Number.isFinite, 'timeout must be a finite number of seconds')
  .gt(0, 'Timeout must be greater than 0')

export const networkConfig = z.looseObject({
  allowPublicTraffic: z.boolean().optional(),
  maskRequestHost: z.string().max(253).optional(),
  ...outboundLists,
})

/** Body of `POST /sandboxes` and `POST /v2/sandboxes` (protocol.md 2.3). Unknown properties are accepted. */
export const newSandbox = z.looseObject({
  templateID: z.string({ error: 'templateID must be a template id or name' }).min(1).max(256),
  timeout: timeoutSeconds.optional(),
  secure: z.boolean().optional(),
  autoPause: z.boolean().optional(),
  autoPauseMemory: z.boolean().optional(),
  autoResume: z.looseObject({ enabled: z.boolean() }).nullish(),
  allow_internet_access: z.boolean().nullish(),
  network: networkConfig.nullish(),
  metadata: stringMap.nullish(),
  envVars: stringMap.nullish(),
})
export type NewSandbox = z.infer<typeof newSandbox>

/** Answer of create, connect and resume. */
export const sandboxAnswer = z.object({
  templateID: z.string(),
  sandboxID: z.string(),
  clientID: z.string(),
  alias: z.string().optional(),
  envdVersion: z.string(),
  envdAccessToken: z.string().optional(),
  trafficAccessToken: z.string().nullable(),
  domain: z.string().nullable(),
})
export type SandboxAnswer = z.infer<typeof sandboxAnswer>

export const listedSandbox = z.object({
  templateID: z.string(),
  sandboxID: z.string(),
  clientID: z.string(),
  alias: z.string().optional(),
  startedAt: z.iso.datetime(),
  endAt: z.iso.datetime(),
  cpuCount: z.int(),
  memoryMB: z.int(),
  diskSizeMB: z.int(),
  state: shownState,
  envdVersion: z.string(),
  metadata: z.record(z.string(), z.string()).optional(),
})
export type ListedSandbox = z.infer<typeof listedSandbox>

export const sandboxDetail = listedSandbox.extend({
  envdAccessToken: z.string().optional(),
  domain: z.string().nullable(),
  allowInternetAccess: z.boolean().nullable(),
  network: networkConfig.optional(),
  lifecycle: z.object({ autoResume: z.boolean(), onTimeout: z.enum(['kill', 'pause']) }),
})
export type SandboxDetail = z.infer<typeof sandboxDetail>

/** Body of both connect calls; e2b sends `{}` when the user gave no timeout, and `memory: false` for `onResume: 'reboot'`. */
export const connectRequest = z.looseObject({
  timeout: timeoutSeconds.optional(),
  memory: z.boolean().nullish(),
  /** Novita's: restricts the sandbox from now on. */
  network: networkConfig.nullish(),
})

/** Body of the deprecated resume call. */
export const resumeRequest = z.looseObject({ timeout: timeoutSeconds.optional(), autoPause: z.boolean().optional() })

export const timeoutRequest = z.looseObject({ timeout: timeoutSeconds })

export const refreshRequest = z.looseObject({
  duration: z.number().gt(0).max(3600, 'duration must be at most 3600 seconds').optional(),
})

/** E2B says what to keep, Novita's legacy clients whether to wait until it is durable. */
export const pauseRequest = z.looseObject({ memory: z.boolean().optional(), sync: z.boolean().optional() })

export const errorBody = z.object({ code: z.int(), message: z.string() })

/** Body of `GET /health` of the control plane. */
export const healthAnswer = z.string()
