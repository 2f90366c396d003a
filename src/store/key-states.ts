import Database from 'better-sqlite3'
import type { Knex } from 'knex'
import type { HashScheme, PairSecrets } from '../domain/key-pair.js'
import type { KeyPairPolicy } from '../domain/key-pair-policy.js'
import type { Role, User, UserStatus } from '../domain/user.js'

/** All that decides about a request: the key-pair and its user, read together in one query. */
export interface KeyState extends PairSecrets {
  keyPairId: number
  apiKey: string
  userId: number
  revokedAt: number | null
  policy: Omit<KeyPairPolicy, 'description'>
  user: User
}

// Rows come as plain arrays, in this order: making an object of each costs as much as the query.
const select = `
  select key_pairs.id, key_pairs.api_key, key_pairs.secret_hash, key_pairs.hash_scheme,
    key_pairs.revoked_at, users.id as user_id, user_login, user_email, user_nicename, display_name,
    first_name, last_name, roles, status, users.created_at, key_pairs.expires_at, scopes, networks,
    secret_version, previous_hash, previous_scheme, previous_expires_at
  from key_pairs join users on users.id = key_pairs.user_id
  where key_pairs.api_key in `

type StateRow = [
  keyPairId: number,
  apiKey: string,
  hash: string,
  scheme: HashScheme,
  revokedAt: number | null,
  id: number,
  login: string,
  email: string,
  nicename: string,
  displayName: string,
  firstName: string,
  lastName: string,
  roles: string,
  status: UserStatus,
  createdAt: number,
  expiresAt: number | null,
  scopes: string | null,
  networks: string | null,
  secretVersion: number,
  previousHash: string | null,
  previousScheme: HashScheme | null,
  previousExpiresAt: number | null,
]

function stateFromRow(row: StateRow): KeyState {
  const [keyPairId, apiKey, hash, scheme, revokedAt, id, login, email, nicename, ...rest] = row
  const [displayName, firstName, lastName, roles, status, createdAt, expiresAt, ...more] = rest
  const [scopes, networks, secretVersion, previousHash, previousScheme, previousExpiresAt] = more
  const names = { login, email, nicename, displayName, firstName, lastName }
  const user = { id, ...names, roles: roles.split(',') as Role[], status, createdAt }
  const hasPrevious = previousHash !== null && previousScheme !== null && previousExpiresAt !== null
  return {
    keyPairId,
    apiKey,
    userId: id,
    secret: { scheme, hash },
    secretVersion,
    previousSecret: hasPrevious
      ? { scheme: previousScheme, hash: previousHash, expiresAt: previousExpiresAt }
      : null,
    revokedAt,
    policy: {
      expiresAt,
      scopes: scopes === null ? null : scopes.split(' '),
      networks: networks === null ? null : networks.split(' '),
    },
    user,
  }
}

export interface KeyStateStore {
  /** Unknown keys are absent from the answer; the order is not that of the question. */
  read(apiKeys: readonly string[]): Promise<KeyState[]>
  close(): void
}

/**
 * The query behind every check of a token. Its text never changes, so neither knex nor the database
 * has to make it anew for each request.
 */
export function createKeyStateStore(db: Knex): KeyStateStore {
  const { dialect, config } = db.client
  const filename: string | undefined = config.connection?.filename
  if (dialect === 'mysql') return createMySqlStore(db)
  // A transaction, or a database in memory, is visible to its own connection only.
  if (db.isTransaction || !filename || filename === ':memory:') return createSharedSqliteStore(db)
  return createSqliteStore(filename)
}

function createMySqlStore(db: Knex): KeyStateStore {
  return {
    async read(apiKeys) {
      const places = apiKeys.map(() => '?').join(',')
      const query = db.raw(`${select} (${places})`, [...apiKeys]).options({ rowsAsArray: true })
      const [rows] = await query
      return rows.map(stateFromRow)
    },
    close() {},
  }
}

// One parameter, whatever the number of keys.
const sqliteSelect = `${select} (select value from json_each(?))`

function createSharedSqliteStore(db: Knex): KeyStateStore {
  return {
    async read(apiKeys) {
      const rows: object[] = await db.raw(sqliteSelect, [JSON.stringify(apiKeys)])
      return rows.map((row) => stateFromRow(Object.values(row) as StateRow))
    },
    close() {},
  }
}

/**
 * A connection of its own, which knex's transactions never hold up: with a write-ahead log a reader
 * waits for nobody, and sees everything committed before its statement began.
 */
function createSqliteStore(filename: string): KeyStateStore {
  let statement: Database.Statement<[string], StateRow> | undefined
  return {
    async read(apiKeys) {
      // Not before the first read: the schema may still have to be made.
      statement ??= new Database(filename, { readonly: true })
        .prepare<[string], StateRow>(sqliteSelect)
        .raw()
      return statement.all(JSON.stringify(apiKeys)).map(stateFromRow)
    },
    close() {
      statement?.database.close()
      statement = undefined
    },
  }
}
