import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Knex } from 'knex'
import type { Config, Environment } from '../../config.js'
import { checkFile, databaseClock, tryWriting } from '../../store/diagnosis.js'
import { pendingMigrations } from '../../store/migrate.js'
import { openDatabase, probeServers, waitMsOf } from '../../store/open.js'
import { retryElsewhere } from '../../store/retry.js'
import { secretNames, secretPath } from '../secret-files.js'
import { failure, type Finding, ok, reasonOf, warning } from './finding.js'
import { judgeClock } from './remote.js'

/** The database, as the service would use it. Nothing is created, and nothing stays changed. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  const { database } = config
  if (database.dialect === 'sqlite') {
    if (database.filename === ':memory:') {
      return [
        warning(
          'database',
          'The database is in memory: it ends with the process.',
          'Unset DATABASE_URL.',
        ),
      ]
    }
    if (!existsSync(database.filename)) {
      return [
        warning(
          'database',
          `There is no database at ${database.filename} yet.`,
          'twinkey serve makes it; or correct DATA_DIR.',
        ),
      ]
    }
  }
  const silent = { warn() {}, error() {}, debug() {} }
  const db = openDatabase(database, silent)
  try {
    return await askDatabase(config, db)
  } catch (error) {
    return [
      failure(
        'database',
        `The database cannot be used: ${reasonOf(error)}`,
        'Correct DATABASE_URL, or start the database.',
      ),
    ]
  } finally {
    await db.destroy()
  }
}

async function askDatabase({ database }: Config, db: Knex): Promise<Finding[]> {
  const found: Finding[] = []
  // The first of several servers may be away: then another is asked.
  const pending = await retryElsewhere(() => pendingMigrations(db), waitMsOf(database))
  found.push(
    pending.length === 0
      ? ok('database', 'It answers, and its schema is current.')
      : failure('schema', `${pending.length} migrations have not been run.`, 'twinkey migrate'),
  )
  if (pending.length === 0) {
    const refusal = await tryWriting(db)
    found.push(
      refusal === undefined
        ? ok('permissions', 'Rows can be read, added, changed and deleted.')
        : failure(
            'permissions',
            `A change was refused: ${refusal}`,
            'grant select, insert, update, delete, create, alter, drop, index, references on NAME.* to USER',
          ),
    )
  }
  if (database.dialect === 'mysql') {
    if (database.hosts.length > 1) found.push(...(await checkServers(database)))
    const now = Date.now() / 1000
    found.push(judgeClock('database-clock', 'the database', now - (await databaseClock(db))))
    return found
  }
  const { journalMode, problem } = await checkFile(db)
  found.push(
    journalMode === 'wal'
      ? ok('journal', 'Write-ahead log, and every commit is synced.')
      : warning(
          'journal',
          `The journal is "${journalMode}": checks wait for writers.`,
          'Keep the file on a local disk: network file systems have no write-ahead log.',
        ),
  )
  if (problem)
    found.push(
      failure('integrity', `The file is damaged: ${problem}`, 'twinkey restore FILE --force'),
    )
  return [...found, ...checkDatabaseFiles(database.filename)]
}

/** Each of several servers by itself: the service goes on while one of them serves. */
async function checkServers(
  database: Extract<Config['database'], { dialect: 'mysql' }>,
): Promise<Finding[]> {
  const servers = await probeServers(database)
  const away = servers.filter(({ isWell }) => !isWell)
  if (away.length === 0) return [ok('servers', `All ${servers.length} answer strict reads.`)]
  return away.map(({ host: { host, port } }) =>
    warning(
      'servers',
      `${host}:${port} does not answer strict reads.`,
      'Start it; or see whether it is in step with its cluster: show status like "wsrep%"',
    ),
  )
}

function checkDatabaseFiles(filename: string): Finding[] {
  const folder = dirname(filename)
  const isOpenFolder = (statSync(folder).mode & 0o007) !== 0
  const isOpenFile = (statSync(filename).mode & 0o004) !== 0
  const found: Finding[] = []
  if (isOpenFolder && isOpenFile) {
    found.push(
      warning('files', `Everybody on this machine can read ${filename}.`, `chmod 700 ${folder}`),
    )
  }
  for (const path of [filename, folder]) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
    } catch {
      found.push(
        failure('files', `This user may not write to ${path}.`, `chown -R $(id -un) ${folder}`),
      )
    }
  }
  return found.length > 0 ? found : [ok('files', `${filename} is this user's own.`)]
}

/** The files that hold secrets must be their owner's alone. */
export function checkSecretFiles(config: Config, environment: Environment): Finding[] {
  const named = ['JWT_SECRET_FILE', 'KEY_ENCRYPTION_KEY_FILE', 'METRICS_TOKEN_FILE']
    .map((name) => environment[name])
    .filter((path) => path !== undefined && path !== '')
  const paths = [
    ...named.map((path) => resolve(path as string)),
    ...secretNames.map((name) => secretPath(config, name)),
  ]
  if (existsSync('.env')) paths.push(resolve('.env'))
  return paths
    .filter((path) => existsSync(path))
    .map((path) => {
      const mode = statSync(path).mode & 0o777
      return (mode & 0o077) === 0
        ? ok('secrets', `${path} is readable by its owner only.`)
        : failure(
            'secrets',
            `${path} has mode 0${mode.toString(8)}: others can read a secret in it.`,
            `chmod 600 ${path}`,
          )
    })
}

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/

/** What works, and should not stay that way. */
export function checkSettings(config: Config): Finding[] {
  const found: Finding[] = []
  const { protocol, hostname } = new URL(config.publicUrl)
  if (protocol === 'http:' && !loopback.test(hostname)) {
    found.push(
      failure(
        'settings',
        'PUBLIC_URL is http: secrets, tokens and cookies travel in the clear.',
        'Put TLS in front, e.g. with examples/caddy/Caddyfile, and set PUBLIC_URL=https://…',
      ),
    )
  }
  if (config.corsOrigins === '*') {
    found.push(
      warning(
        'settings',
        'CORS_ORIGINS is *: pages of any origin may call the API.',
        'Name the origins: CORS_ORIGINS=https://app.example.com',
      ),
    )
  }
  if (config.metrics && !loopback.test(config.metrics.host) && config.metrics.token === undefined) {
    found.push(
      warning(
        'settings',
        `Metrics are open to whoever reaches ${config.metrics.host}:${config.metrics.port}.`,
        'Set METRICS_TOKEN, or METRICS_HOST=127.0.0.1',
      ),
    )
  }
  if (config.logLevel === 'debug' || config.logLevel === 'trace') {
    found.push(
      warning(
        'settings',
        `LOG_LEVEL is ${config.logLevel}: every refusal is a line.`,
        'LOG_LEVEL=info',
      ),
    )
  }
  const { database } = config
  const remote =
    database.dialect === 'mysql' && database.hosts.find(({ host }) => !loopback.test(host))
  if (database.dialect === 'mysql' && remote) {
    if (!database.ssl) {
      found.push(
        warning(
          'settings',
          `The connection to ${remote.host} is not encrypted.`,
          'Add ?ssl=true to DATABASE_URL',
        ),
      )
    } else if (!database.ssl.rejectUnauthorized) {
      found.push(
        warning(
          'settings',
          `The certificate of ${remote.host} is not checked.`,
          'Replace ssl=skip-verify by ssl=true in DATABASE_URL',
        ),
      )
    }
    if (config.jwtSecret === undefined) {
      found.push(
        warning(
          'settings',
          'JWT_SECRET is not set, and other nodes would make one of their own.',
          'Set JWT_SECRET or JWT_SECRET_FILE to the same on all nodes',
        ),
      )
    }
  }
  return found.length > 0 ? found : [ok('settings', 'No weak setting.')]
}
