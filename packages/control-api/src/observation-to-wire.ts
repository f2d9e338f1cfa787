import type { SandboxLogEntry, SandboxMetric } from '@torpor/contract'
import type { LogEntry, Sample } from '@torpor/core'

const mebibyte = 1024 * 1024

/** The page cache of a sandbox is its own kernel's affair and cannot be seen from outside: 0. */
export const metricToWire = (sample: Sample): SandboxMetric => ({
  timestamp: new Date(sample.at).toISOString(),
  timestampUnix: Math.floor(sample.at / 1000),
  cpuCount: sample.cpuCount,
  cpuUsedPct: sample.cpuUsedPercent,
  memUsed: sample.memoryUsedBytes,
  memTotal: sample.memoryTotalBytes,
  memCache: 0,
  memUsedMiB: Math.round(sample.memoryUsedBytes / mebibyte),
  memTotalMiB: Math.round(sample.memoryTotalBytes / mebibyte),
  diskUsed: sample.diskUsedBytes,
  diskTotal: sample.diskTotalBytes,
})

export const logToWire = ({ at, level, message, fields }: LogEntry): SandboxLogEntry => ({
  timestamp: new Date(at).toISOString(),
  level,
  message,
  fields: { ...fields },
})

/** As the command line of E2B reads it. */
export const logLineToWire = ({ at, level, logger, message, fields }: LogEntry): { timestamp: string; line: string } => {
  const timestamp = new Date(at).toISOString()
  return { timestamp, line: JSON.stringify({ timestamp, level, logger, message, ...fields }) }
}
