import type { Log } from '@torpor/core'
import pino from 'pino'
import pretty from 'pino-pretty'

export interface LogOptions {
  readonly level: string
  readonly format: 'json' | 'pretty'
}

/** Lines on standard output; an `error` field is written with its cause, and no header that holds a key. */
export function createLog({ level, format }: LogOptions): Log {
  const options = {
    level,
    serializers: { error: pino.stdSerializers.errWithCause },
    redact: ['headers.authorization', 'headers["x-api-key"]', 'headers["x-access-token"]'],
  }
  const logger = format === 'pretty' ? pino(options, pretty({ colorize: process.stdout.isTTY })) : pino(options)
  return {
    info: (context, message) => logger.info(context, message),
    warn: (context, message) => logger.warn(context, message),
    error: (context, message) => logger.error(context, message),
  }
}
