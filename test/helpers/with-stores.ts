import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { type DatabaseConfig, type Environment, loadConfig } from '../../src/config.js'
import { createStores, type Stores } from '../../src/store/index.js'
import { migrate } from '../../src/store/migrate.js'
import { openDatabase } from '../../src/store/open.js'
import type { NewUser } from '../../src/store/users.js'
import { type Dialect, dialects } from './dialects.js'

export interface StoreTest {
  dialect: Dialect
  /** For DATABASE_URL. */
  url: string
  config: DatabaseConfig
  /** Opens the same database once more, as another process would. Closed when the test ends. */
  open(env?: Environment): Knex
}

export interface MigratedStoreTest extends StoreTest {
  db: Knex
  stores: Stores
}

const silent = { warn() {}, error() {}, debug() {} }

export const databaseConfig = (url: string, env: Environment = {}): DatabaseConfig =>
  loadConfig({ DATABASE_URL: url, ...env }).database

/** Registers a test once a database, on an empty one: there is no schema yet. */
export function onEachEmptyDatabase(
  title: string,
  implementation: (t: ExecutionContext, context: StoreTest) => Promise<void>,
  only?: Dialect['name'],
): void {
  for (const dialect of dialects) {
    if (only && only !== dialect.name) continue
    const register = dialect.isAvailable ? test : test.skip
    register(`${dialect.name}: ${title}`, async (t) => {
      const { url, remove } = await dialect.create()
      const opened: Knex[] = []
      const open = (env?: Environment) => {
        const db = openDatabase(databaseConfig(url, env), silent)
        opened.push(db)
        return db
      }
      try {
        await implementation(t, { dialect, url, config: databaseConfig(url), open })
      } finally {
        await Promise.all(opened.map((db) => db.destroy()))
        await remove()
      }
    })
  }
}

/** The same, with the schema in place and the stores on it. */
export function onEachStore(
  title: string,
  implementation: (t: ExecutionContext, context: MigratedStoreTest) => Promise<void>,
): void {
  onEachEmptyDatabase(title, async (t, context) => {
    const db = context.open()
    await migrate(db)
    const stores = createStores(db)
    try {
      await implementation(t, { ...context, db, stores })
    } finally {
      stores.keyStates.close()
    }
  })
}

export const newUser = (login: string, fields: Partial<NewUser> = {}): NewUser => ({
  login,
  email: `${login}@sample.org`,
  nicename: login,
  displayName: login,
  firstName: '',
  lastName: '',
  roles: ['subscriber'],
  status: 'active',
  expiresAt: null,
  createdAt: 1_700_000_000,
  passwordHash: `hash-of-${login}`,
  ...fields,
})

/** Inserts a user, who must not exist yet. */
export async function insertUser(
  { users }: Pick<Stores, 'users'>,
  login: string,
  fields: Partial<NewUser> = {},
) {
  const user = await users.insert(newUser(login, fields))
  if (typeof user === 'string') throw new Error(`${login}: ${user}`)
  return user
}
