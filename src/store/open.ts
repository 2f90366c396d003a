import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import knex, { type Knex } from 'knex'
import { migrationSource } from '../../db/migration-source.js'
import type { DatabaseConfig } from '../config.js'
import type { DatabaseHost } from '../database-url.js'
import { createDatabaseHosts } from './database-hosts.js'
import { createMysqlClient } from './mysql-client.js'
import { probeServer } from './mysql-probe.js'
import { busySleepMs, SqliteClient } from './sqlite-client.js'

/** Where knex's own warnings and errors go. */
export interface StoreLogger {
  warn(message: string): void
  error(message: string): void
  debug(message: string): void
}

/** Opens the database; connections are made when they are first needed. Creates no schema. */
export function openDatabase(config: DatabaseConfig, log: StoreLogger): Knex {
  const logger = {
    // Whoever wanted the connection gets the same error, and logs or reports it.
    warn: (message: unknown) =>
      /^Acquire connection error/.test(String(message))
        ? log.debug(String(message))
        : log.warn(String(message)),
    error: (message: unknown) => log.error(String(message)),
    deprecate: (method: string, alternative: string) =>
      log.warn(`${method} is deprecated, use ${alternative}`),
    debug: (message: unknown) => log.debug(String(message)),
  }
  const common: Common = {
    log: logger,
    migrations: {
      migrationSource,
      tableName: 'migrations',
      // While a fleet is upgraded, old nodes find migrations done that they do not know.
      disableMigrationsListValidation: true,
    },
    // With values in it, a failed statement's message would carry hashes into the log.
    compileSqlOnError: false,
  }
  return config.dialect === 'sqlite' ? openSqlite(config, common) : openMySql(config, common)
}

/**
 * How long, in milliseconds, something is tried again while another server takes over. One server has none
 * that could: who asks it is told at once that it is away.
 */
export function waitMsOf(database: DatabaseConfig): number {
  return database.dialect === 'mysql' && database.hosts.length > 1 ? database.waitMs : 0
}

type Common = Pick<Knex.Config, 'log' | 'migrations' | 'compileSqlOnError'>

function openSqlite(config: Extract<DatabaseConfig, { dialect: 'sqlite' }>, common: Common): Knex {
  if (config.filename !== ':memory:') {
    // Whoever reads the file can try passwords on it.
    mkdirSync(dirname(config.filename), { recursive: true, mode: 0o700 })
  }
  return knex({
    ...common,
    client: SqliteClient,
    connection: { filename: config.filename },
    useNullAsDefault: true,
    pool: {
      afterCreate(connection: SqliteConnection, done: (error: Error | null) => void) {
        try {
          connection.pragma('journal_mode = WAL')
          // With WAL, NORMAL can lose the last commits when the machine (not the process) dies.
          // An answered revocation must hold, so every commit is synced.
          connection.pragma('synchronous = FULL')
          connection.pragma('foreign_keys = ON')
          connection.pragma(`busy_timeout = ${busySleepMs}`)
          done(null)
        } catch (error) {
          done(error as Error)
        }
      },
    },
  })
}

interface SqliteConnection {
  pragma(statement: string): unknown
}

type MySqlConfig = Extract<DatabaseConfig, { dialect: 'mysql' }>

/** Whether each of the servers would answer a strict read, now. */
export function probeServers(
  config: MySqlConfig,
): Promise<{ host: DatabaseHost; isWell: boolean }[]> {
  const settings = settingsOf(config)
  return Promise.all(
    config.hosts.map(async (host) => ({
      host,
      isWell: await probeServer({ ...settings, ...host }),
    })),
  )
}

function settingsOf({ user, password, database, ssl, connectTimeoutMs }: MySqlConfig) {
  return {
    user,
    password,
    database,
    ...(ssl && { ssl }),
    charset: 'utf8mb4',
    connectTimeout: connectTimeoutMs,
    // The answer to UPDATE counts the rows found, not the rows changed: a guarded update that sets
    // a value to what it already is has still succeeded.
    flags: ['+FOUND_ROWS'],
    supportBigNumbers: true,
    // What a union of whole numbers and NULL is to MariaDB. None of ours is beyond 2^53.
    decimalNumbers: true,
  }
}

function openMySql(config: MySqlConfig, common: Common): Knex {
  const settings = settingsOf(config)
  const hosts = createDatabaseHosts({
    hosts: config.hosts,
    probe: (host) => probeServer({ ...settings, ...host }),
    onChange: (from, to) =>
      common.log?.warn?.(
        `The database is now used at ${to.host}:${to.port}, no longer at ${from.host}:${from.port}`,
      ),
  })
  const db = knex({
    ...common,
    client: createMysqlClient(config.queryTimeoutMs, hosts),
    connection: settings,
    pool: { min: 0, max: config.poolMax, createTimeoutMillis: config.connectTimeoutMs + 1000 },
    acquireConnectionTimeout: config.acquireTimeoutMs,
  })
  // A server that accepts queries and never answers must not hold requests for ever. knex then
  // throws the connection away, because its answer may still come.
  db.on('start', (builder: { timeout?: (ms: number) => unknown; _timeout?: number }) => {
    if (builder._timeout === undefined) builder.timeout?.(config.queryTimeoutMs)
  })
  return db
}
