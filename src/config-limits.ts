import { z } from 'zod'
import { integer } from './config-values.js'
import { parseRateLimit, type RateLimit } from './domain/rate-limit.js'

export interface RateLimitsConfig {
  /** Where counts are kept: in the process, or in the database, for all who use it. */
  store: 'memory' | 'database' | 'auto'
  /** Wrong passwords for one login; `undefined`: any number, here and below. */
  login: RateLimit | undefined
  /** Wrong passwords from one address. */
  loginAddress: RateLimit | undefined
  /** Exchanges with one API key whose secret is wrong. */
  exchange: RateLimit | undefined
  /** The same from one address, with any API key. */
  exchangeAddress: RateLimit | undefined
  /** Questions of one key-pair about tokens that are not good. */
  introspection: RateLimit | undefined
}

export interface ConnectionsConfig {
  /** Most at once, of each process. */
  max: number
  /** Longest time for the head of a request to arrive. */
  headersTimeoutMs: number
  /** The same for a whole request. */
  requestTimeoutMs: number
}

const rateLimit = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform(parseRateLimit)
    .refine((value) => value !== undefined)
    .transform((value) => (value === 'off' ? undefined : value))
    .describe('must be a limit such as 10/15m (s, m, h or d; at most 30d), or 0 for none')

/** The variables that say how much anybody may do. */
export const limitVariables = {
  RATE_LIMIT_LOGIN: rateLimit('10/15m'),
  RATE_LIMIT_LOGIN_ADDRESS: rateLimit('30/15m'),
  RATE_LIMIT_EXCHANGE: rateLimit('20/1m'),
  RATE_LIMIT_EXCHANGE_ADDRESS: rateLimit('60/1m'),
  RATE_LIMIT_INTROSPECTION: rateLimit('600/1m'),
  RATE_LIMIT_STORE: z
    .enum(['auto', 'memory', 'database'])
    .default('auto')
    .describe('must be auto, memory or database'),
} as const

export const connectionVariables = {
  MAX_CONNECTIONS: integer(10_000, 1, 1_000_000),
  HEADERS_TIMEOUT_MS: integer(10_000, 100, 600_000),
  REQUEST_TIMEOUT_MS: integer(30_000, 100, 600_000),
} as const

type LimitValues = z.infer<z.ZodObject<typeof limitVariables>>

export function readRateLimits(values: LimitValues): RateLimitsConfig {
  return {
    store: values.RATE_LIMIT_STORE,
    login: values.RATE_LIMIT_LOGIN,
    loginAddress: values.RATE_LIMIT_LOGIN_ADDRESS,
    exchange: values.RATE_LIMIT_EXCHANGE,
    exchangeAddress: values.RATE_LIMIT_EXCHANGE_ADDRESS,
    introspection: values.RATE_LIMIT_INTROSPECTION,
  }
}

export function readConnectionLimits(
  values: z.infer<z.ZodObject<typeof connectionVariables>>,
): ConnectionsConfig {
  return {
    max: values.MAX_CONNECTIONS,
    headersTimeoutMs: values.HEADERS_TIMEOUT_MS,
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
  }
}
