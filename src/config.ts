import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import {
  type ConnectionsConfig,
  connectionVariables,
  limitVariables,
  type RateLimitsConfig,
  readConnectionLimits,
  readRateLimits,
} from './config-limits.js'
import { type MetricsConfig, metricsVariables, readMetrics } from './config-metrics.js'
import {
  readEncryptionKey,
  readMetricsToken,
  readSecret,
  secretVariables,
} from './config-secrets.js'
import { tokenVariables } from './config-tokens.js'
import { integer } from './config-values.js'
import {
  databaseUrlForms,
  type MySqlAddress,
  readDatabaseUrl,
  type SqliteAddress,
} from './database-url.js'
import { type DefinedScope, secondsPerDay } from './domain/key-pair-policy.js'
import { parseDefinedScopes } from './domain/scope.js'

export type DatabaseConfig =
  | SqliteAddress
  | (MySqlAddress & {
      poolMax: number
      connectTimeoutMs: number
      acquireTimeoutMs: number
      queryTimeoutMs: number
      /** How long a request waits for one of several servers to serve it. */
      waitMs: number
      /** Most reads of states of keys, of one process. */
      readsPerSecond: number
    })

export interface Config {
  host: string
  port: number
  /** The issuer of every token, without a trailing slash. */
  publicUrl: string
  dataDir: string
  database: DatabaseConfig
  /** `undefined`: the one kept in `dataDir`, made on first start. */
  jwtSecret: string | undefined
  /** Encrypts private keys in the database; `undefined`: one kept in `dataDir`, made when needed. */
  keyEncryptionKey: Uint8Array | undefined
  /** Seconds. */
  accessTokenTtl: number
  /** Seconds. */
  refreshTokenTtl: number
  /** The same for clients of usefulteam/jwt-auth, who ask under `/jwt-auth/v1`. */
  jwtAuth: { accessTokenTtl: number; refreshTokenTtl: number }
  /** For how many seconds a replaced refresh token of a device is answered with its successor. */
  refreshGrace: number
  /** Whether key-pairs are exchanged for the tokens of a device only. */
  requireDevice: boolean
  /** Who may be meant by an OAuth token's `aud`; the first is, unless the client says otherwise. */
  tokenAudiences: readonly [string, ...string[]]
  /** Claims that clients may add to their tokens. */
  extraClaims: readonly string[]
  /** Where a token may stand besides `Authorization`. */
  tokenSources: {
    header: string | undefined
    cookie: string | undefined
    field: string | undefined
  }
  /** What key-pairs can be limited to; empty: nothing is defined. */
  keyPairScopes: readonly DefinedScope[]
  /** Longest life of the key-pairs that others than administrators mint, in seconds. */
  keyPairMaxLifetime: number | undefined
  /** What everybody needs a second factor for. */
  requireSecondFactor: (typeof secondFactorPolicies)[number]
  /** How long the audit log is kept, in seconds; `undefined`: for ever. */
  auditRetention: number | undefined
  /** Bounds of the memory of tokens whose signature has been verified. */
  signatureMemory: { maxBytes: number; maxEntries: number }
  /** How many proxies in front of us add to X-Forwarded-For; 0 ignores the header. */
  trustProxy: number
  rateLimits: RateLimitsConfig
  connections: ConnectionsConfig
  corsOrigins: '*' | readonly string[]
  /** Where security researchers find somebody: a URI, for security.txt. */
  securityContact: string | undefined
  logLevel: LogLevel
  /** `undefined`: nothing is measured, and nothing served. */
  metrics: MetricsConfig | undefined
  migrateOnStart: boolean
  /** Seconds from the failing of readiness to the closing of the port, when the service stops. */
  shutdownDelay: number
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const secondFactorPolicies = ['off', 'minting'] as const

export type LogLevel = (typeof logLevels)[number]

/** Everything that is wrong with the configuration, so that one restart is enough to fix it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((line) => `  - ${line}`).join('\n')}`)
    this.problems = problems
  }
}

export type Environment = Record<string, string | undefined>

/**
 * The process's environment over that of a `.env` file in `directory`.
 *
 * @throws {ConfigError} if there is such a file and it cannot be read.
 */
export function readEnvironment(env: Environment, directory = process.cwd()): Environment {
  const path = join(directory, '.env')
  if (!existsSync(path)) return env
  try {
    const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '')
    return { ...parseEnv(readFileSync(path, 'utf8')), ...Object.fromEntries(set) }
  } catch (error) {
    throw new ConfigError([`.env cannot be read: ${(error as Error).message}`])
  }
}

const flag = z
  .enum(['true', 'false', '1', '0'])
  .optional()
  .transform((value) => value === 'true' || value === '1')
  .describe('must be true or false')

const year = 31_536_000

const variables = {
  HOST: z.string().default('127.0.0.1').describe('must be an address to listen on'),
  PORT: integer(8080, 0, 65_535),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .refine((value) => !/[?#@]/.test(value))
    .optional()
    .describe('must be an http or https URL without user, query or fragment'),
  DATA_DIR: z.string().default('./data').describe('must be a directory'),
  DATABASE_URL: z.string().optional().describe(databaseUrlForms),
  DATABASE_POOL_MAX: integer(10, 2, 1000),
  DATABASE_CONNECT_TIMEOUT_MS: integer(5000, 100, 120_000),
  DATABASE_ACQUIRE_TIMEOUT_MS: integer(5000, 100, 120_000),
  DATABASE_QUERY_TIMEOUT_MS: integer(5000, 100, 600_000),
  DATABASE_WAIT_MS: integer(2000, 100, 120_000),
  DATABASE_READS_PER_SECOND: integer(2900, 100, 1_000_000),
  MIGRATE_ON_START: flag,
  SHUTDOWN_DELAY: integer(0, 0, 60),
  ...secretVariables,
  ACCESS_TOKEN_TTL: integer(604_800, 1, 10 * year),
  REFRESH_TOKEN_TTL: integer(year, 1, 10 * year),
  JWT_AUTH_ACCESS_TOKEN_TTL: integer(600, 1, 10 * year),
  JWT_AUTH_REFRESH_TOKEN_TTL: integer(30 * secondsPerDay, 1, 10 * year),
  REFRESH_GRACE: integer(30, 0, 600),
  REQUIRE_DEVICE: flag,
  TOKEN_AUDIENCES: z
    .string()
    .default('')
    .transform(splitList)
    .refine((value) => value.every(isAudience))
    .describe('must be absolute URIs without fragments, separated by commas'),
  KEY_PAIR_SCOPES: z
    .string()
    .default('')
    .transform(parseDefinedScopes)
    .refine((value) => value !== undefined)
    .describe('must be scopes with descriptions, such as read=Read everything;write=Change things'),
  KEY_PAIR_MAX_LIFETIME: integer(0, 0, 36_500),
  ...tokenVariables,
  ...limitVariables,
  REQUIRE_SECOND_FACTOR: z
    .enum(secondFactorPolicies)
    .default('off')
    .describe('must be off or minting'),
  ...connectionVariables,
  AUDIT_RETENTION: integer(400, 0, 36_500),
  SIGNATURE_MEMORY_MB: integer(32, 1, 4096),
  SIGNATURE_MEMORY_ENTRIES: integer(100_000, 1, 10_000_000),
  TRUST_PROXY: z
    .string()
    .regex(/^(off|false|\d{1,2})$/)
    .default('off')
    .transform((value) => (/^\d/.test(value) ? Number(value) : 0))
    .describe('must be "off" or the number of proxies in front of the service'),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((value) => (value.trim() === '*' ? ('*' as const) : splitList(value)))
    .refine((value) => value === '*' || value.every(isOrigin))
    .describe('must be "*" or origins such as https://app.example.com, separated by commas'),
  SECURITY_CONTACT: z
    .string()
    .regex(/^(?:mailto:[^\s@]+@[^\s@]+|https:\/\/\S+|tel:\+[\d-]+)$/)
    .optional()
    .describe('must be a URI such as mailto:security@example.com or https://example.com/report'),
  ...metricsVariables,
  LOG_LEVEL: z
    .enum(logLevels)
    .default('info')
    .describe(`must be one of ${logLevels.join(', ')}`),
} as const

/** Their values never appear in a message. */
const hiddenVariables = new Set([
  'JWT_SECRET',
  'KEY_ENCRYPTION_KEY',
  'METRICS_TOKEN',
  'DATABASE_URL',
])

/** @throws {ConfigError} listing every invalid variable, not only the first. */
export function loadConfig(env: Environment, directory = process.cwd()): Config {
  const problems: string[] = []
  const given: Environment = {}
  for (const name of Object.keys(variables)) if (env[name]) given[name] = env[name]

  const parsed = z.object(variables).safeParse(given)
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]) as keyof typeof variables
    if (problems.some((problem) => problem.startsWith(`${name} `))) continue
    // A URL may carry a password.
    const isSecret = hiddenVariables.has(name) || given[name]?.includes('@')
    const got = isSecret ? '' : `, got "${given[name]}"`
    problems.push(`${name} ${variables[name].description}${got}`)
  }

  const dataDir = resolve(directory, parsed.data?.DATA_DIR ?? given.DATA_DIR ?? './data')
  const database = readDatabaseUrl(given.DATABASE_URL, { dataDir, directory, problems })
  const jwtSecret = readSecret(given, directory, problems)
  const keyEncryptionKey = readEncryptionKey(given, directory, problems)
  const metricsToken = readMetricsToken(given, directory, problems)
  if (!parsed.success || !database || problems.length > 0) throw new ConfigError(problems)

  const values = parsed.data
  const publicUrl = (values.PUBLIC_URL ?? `http://localhost:${values.PORT}`).replace(/\/+$/, '')
  const [audience = publicUrl, ...otherAudiences] = values.TOKEN_AUDIENCES
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    publicUrl,
    dataDir,
    database:
      database.dialect === 'sqlite'
        ? database
        : {
            ...database,
            poolMax: values.DATABASE_POOL_MAX,
            connectTimeoutMs: values.DATABASE_CONNECT_TIMEOUT_MS,
            acquireTimeoutMs: values.DATABASE_ACQUIRE_TIMEOUT_MS,
            queryTimeoutMs: values.DATABASE_QUERY_TIMEOUT_MS,
            waitMs: values.DATABASE_WAIT_MS,
            readsPerSecond: values.DATABASE_READS_PER_SECOND,
          },
    jwtSecret,
    keyEncryptionKey,
    accessTokenTtl: values.ACCESS_TOKEN_TTL,
    refreshTokenTtl: values.REFRESH_TOKEN_TTL,
    jwtAuth: {
      accessTokenTtl: values.JWT_AUTH_ACCESS_TOKEN_TTL,
      refreshTokenTtl: values.JWT_AUTH_REFRESH_TOKEN_TTL,
    },
    refreshGrace: values.REFRESH_GRACE,
    requireDevice: values.REQUIRE_DEVICE,
    tokenAudiences: [audience, ...otherAudiences] as const,
    extraClaims: values.EXTRA_CLAIMS,
    tokenSources: {
      header: values.TOKEN_HEADER?.toLowerCase(),
      cookie: values.TOKEN_COOKIE,
      field: values.TOKEN_FIELD,
    },
    keyPairScopes: values.KEY_PAIR_SCOPES ?? [],
    keyPairMaxLifetime: values.KEY_PAIR_MAX_LIFETIME * secondsPerDay || undefined,
    requireSecondFactor: values.REQUIRE_SECOND_FACTOR,
    auditRetention: values.AUDIT_RETENTION * secondsPerDay || undefined,
    signatureMemory: {
      maxBytes: values.SIGNATURE_MEMORY_MB * 1024 * 1024,
      maxEntries: values.SIGNATURE_MEMORY_ENTRIES,
    },
    trustProxy: values.TRUST_PROXY,
    rateLimits: readRateLimits(values),
    connections: readConnectionLimits(values),
    corsOrigins: values.CORS_ORIGINS,
    securityContact: values.SECURITY_CONTACT,
    logLevel: values.LOG_LEVEL,
    metrics: readMetrics(values, metricsToken),
    migrateOnStart: values.MIGRATE_ON_START,
    shutdownDelay: values.SHUTDOWN_DELAY,
  })
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim().replace(/\/$/, ''))
    .filter((item) => item !== '')
}

function isOrigin(value: string): boolean {
  // "https://*.example.com" would parse, and match nothing.
  if (value.includes('*')) return false
  return URL.canParse(value) && /^https?:/.test(value) && new URL(value).origin === value
}

/** RFC 8707, section 2. */
function isAudience(value: string): boolean {
  return URL.canParse(value) && !value.includes('#') && !/\s/.test(value)
}
