import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { dirname, join } from 'node:path'
import type { Knex } from 'knex'
import { type Config, ConfigError } from './config.js'
import { corsAllowHeaders } from './http/cors-headers.js'
import { generateEncryptionKey, parseEncryptionKey } from './domain/key-encryption.js'
import { generateSecret, secretProblem } from './domain/signing-secret.js'
import { readExtensions } from './extensions.js'
import type { Extensions } from './hooks.js'
import { createListener } from './lanes.js'
import type { Logger } from './logger.js'
import { StartHookError } from './services/hooks/asked-at-start.js'
import { createHookSet, type HookSet } from './services/hooks/index.js'
import { createServices, type Services } from './services/index.js'
import type { EncryptionKey } from './services/signing-keys.js'
import { createStores, type Stores } from './store/index.js'
import { explainFileError } from './store/file-error.js'
import { migrate } from './store/migrate.js'
import { openDatabase, waitMsOf } from './store/open.js'

export interface Runtime {
  config: Config
  db: Knex
  stores: Stores
  services: Services
  /** What a server listens with. */
  listener: RequestListener
  /** Writes what is still in memory and closes the database. */
  close(): Promise<void>
}

export interface RuntimeOptions extends Extensions {
  logger: Logger
  /** Seconds since the Unix epoch; the clock, unless a test says otherwise. */
  now?: () => number
  /** Bring the schema up to date first; else an old one is refused. */
  migrate?: boolean
  /** Whether other processes serve on the same database, which is a matter of course with MySQL. */
  isShared?: boolean
}

/** The schema is older than this version of the program. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/**
 * The one place of assembly: configuration → database → stores → services → app.
 *
 * @throws {DatabaseFileError} if the file of an embedded database cannot be used.
 * @throws {SchemaError} if the schema is not current and `migrate` was not asked for.
 * @throws {ConfigError} if the signing secret cannot be read, or a hook or action is not one.
 */
export async function createRuntime(config: Config, options: RuntimeOptions): Promise<Runtime> {
  const { logger, now = clock, migrate: mayMigrate, isShared, ...given } = options
  const extensions = readExtensions(given)
  const db = openDatabase(config.database, {
    warn: (message) => logger.warn({}, message),
    error: (message) => logger.error({}, message),
    debug: (message) => logger.debug({}, message),
  })
  try {
    const waitMs = waitMsOf(config.database)
    const stores = createStores(db, { waitMs })
    if (mayMigrate) {
      const names = await migrate(db, waitMs)
      if (names.length > 0) logger.info({ migrations: names }, 'database schema brought up to date')
    } else {
      await assertSchema(stores)
    }
    const jwtSecret = config.jwtSecret ?? loadOrCreateSecret(config.dataDir)
    const encryptionKey = encryptionKeyOf(config)
    const { publicUrl } = config
    const hooks = await openHooks(extensions, { publicUrl, corsAllowHeaders, logger })
    const services = await createServices({
      stores,
      config,
      jwtSecret,
      encryptionKey,
      isShared: isShared ?? config.database.dialect === 'mysql',
      hooks,
      logger,
      now,
    })
    const deps = { services, config, logger }
    return {
      config,
      db,
      stores,
      services,
      listener: createListener(deps, async () => {
        const { createApp } = await import('./app.js')
        return createApp(deps).callback()
      }),
      async close() {
        await services.close()
        stores.keyStates.close()
        await db.destroy()
      },
    }
  } catch (error) {
    await db.destroy()
    throw explainFileError(error, config.database)
  }
}

async function openHooks(
  ...[extensions, deps]: Parameters<typeof createHookSet>
): Promise<HookSet> {
  try {
    return await createHookSet(extensions, deps)
  } catch (error) {
    throw error instanceof StartHookError ? new ConfigError([error.message]) : error
  }
}

function clock(): number {
  return Math.floor(Date.now() / 1000)
}

async function assertSchema(stores: Stores): Promise<void> {
  const pending = await stores.pendingMigrations()
  if (pending.length === 0) return
  throw new SchemaError(
    `The database schema is not current: ${pending.length} of its migrations have not been run.\n` +
      'Run `twinkey migrate`, or start with MIGRATE_ON_START=true.',
  )
}

/** The secret of an embedded installation: made on first start. */
function loadOrCreateSecret(dataDir: string): string {
  const path = join(dataDir, 'jwt-secret')
  const secret = readOrCreate(path, generateSecret)
  const problem = secretProblem(secret)
  if (problem) throw new ConfigError([`The secret in ${path} ${problem}`])
  return secret
}

/** The key that encrypts private keys: the one configured, or one made with the first of them. */
function encryptionKeyOf({ keyEncryptionKey, dataDir }: Config): EncryptionKey {
  const path = join(dataDir, 'key-encryption-key')
  function read(): Uint8Array {
    const key = parseEncryptionKey(readOrCreate(path, generateEncryptionKey))
    if (!key) throw new ConfigError([`The key in ${path} must be 32 bytes in base64`])
    return key
  }
  return {
    existing: () => keyEncryptionKey ?? (existsSync(path) ? read() : undefined),
    orNew: () => keyEncryptionKey ?? read(),
  }
}

/** A secret in a file that its owner only can read. */
function readOrCreate(path: string, generate: () => string): string {
  if (!existsSync(path)) createSecret(path, generate())
  return readFileSync(path, 'utf8').trim()
}

function createSecret(path: string, secret: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    // A link appears whole or not at all, and only one of several processes can make it.
    writeFileSync(draft, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true })
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}
