import { z } from 'zod'

/** One sample of what a sandbox uses; bytes, and MiB for Novita's older clients (protocol.md 2.3). */
export const sandboxMetric = z.object({
  timestamp: z.iso.datetime(),
  timestampUnix: z.int(),
  cpuCount: z.int(),
  cpuUsedPct: z.number(),
  memUsed: z.int(),
  memTotal: z.int(),
  memCache: z.int(),
  memUsedMiB: z.number(),
  memTotalMiB: z.number(),
  diskUsed: z.int(),
  diskTotal: z.int(),
})
export type SandboxMetric = z.infer<typeof sandboxMetric>

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** One line of a sandbox's log (protocol.md 2.2). */
export const sandboxLogEntry = z.object({
  timestamp: z.iso.datetime(),
  level: z.enum(logLevels),
  message: z.string(),
  fields: z.record(z.string(), z.string()),
})
export type SandboxLogEntry = z.infer<typeof sandboxLogEntry>
