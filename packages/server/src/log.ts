import type { Log } from '@torpor/core'
import pino from 'pino'

export interface LogOptions {
  readonly level: string
}

/** JSON lines on standard output; `error` fields are written with their cause. */
export function createLog({ level }: LogOptions): Log {
  const logger = pino({ level, serializers: { error: pino.stdSerializers.errWithCause }, redact: ['headers.authorization', 'headers["x-api-key"]'] })
  return {
    info: (context, message) => logger.info(context, message),
    warn: (context, message) => logger.warn(context, message),
    error: (context, message) => logger.error(context, message),
  }
}
