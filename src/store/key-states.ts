import Database from 'better-sqlite3'
import type { Knex } from 'knex'
import type { HashScheme, SecretHash } from '../domain/key-pair.js'
import type { User } from '../domain/user.js'
import { userColumns, userFromRow } from './users.js'

/** All that decides about a request: the key-pair and its user, read together in one query. */
export interface KeyState {
  keyPairId: number
  apiKey: string
  userId: number
  secret: SecretHash
  revokedAt: number | null
  user: User
}

type StateRow = Parameters<typeof userFromRow>[0] & {
  key_pair_id: number
  api_key: string
  secret_hash: string
  hash_scheme: string
  revoked_at: number | null
}

const select = `
  select ${userColumns.join(', ')}, key_pairs.id as key_pair_id, key_pairs.api_key,
    key_pairs.secret_hash, key_pairs.hash_scheme, key_pairs.revoked_at
  from key_pairs join users on users.id = key_pairs.user_id
  where key_pairs.api_key in `

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
      const [rows] = await db.raw(`${select} (${places})`, [...apiKeys])
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
      return (await db.raw(sqliteSelect, [JSON.stringify(apiKeys)])).map(stateFromRow)
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
      statement ??= new Database(filename, { readonly: true }).prepare(sqliteSelect)
      return statement.all(JSON.stringify(apiKeys)).map(stateFromRow)
    },
    close() {
      statement?.database.close()
      statement = undefined
    },
  }
}

function stateFromRow(row: StateRow): KeyState {
  return {
    keyPairId: row.key_pair_id,
    apiKey: row.api_key,
    userId: row.id,
    secret: { scheme: row.hash_scheme as HashScheme, hash: row.secret_hash },
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
    user: userFromRow(row),
  }
}
