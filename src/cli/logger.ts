import pino from 'pino'
import type { LogLevel } from '../config.js'

/**
 * Structured logs on standard error: standard output is for what a person or a script asked for.
 * Whatever could hold a secret is left out of errors: knex puts the statement into the message, but
 * without values.
 */
export function createLogger(level: LogLevel): pino.Logger {
  return pino(
    { level, base: null, redact: ['err.sql', 'err.bindings', 'err.body'] },
    pino.destination(2),
  )
}
