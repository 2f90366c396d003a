import Database from 'better-sqlite3'
import type { Knex } from 'knex'
import type { DeviceChain } from '../domain/device.js'
import type { HashScheme, PairSecrets } from '../domain/key-pair.js'
import type { KeyPairPolicy } from '../domain/key-pair-policy.js'
import type { Role, User, UserStatus } from '../domain/user.js'
import { createMysqlReader } from './mysql-reader.js'
import { retryElsewhere } from './retry.js'

/** All that decides about a request: the key-pair and its user, read together in one query. */
export interface KeyState extends PairSecrets {
  keyPairId: number
  apiKey: string
  userId: number
  revokedAt: number | null
  policy: Omit<KeyPairPolicy, 'description'>
  user: User
  /** Of the device that the token names, if it names one that is there. */
  device?: DeviceState
  /** Of the token itself, if it says that it is registered, and is. */
  registration?: RegistrationState
}

/** All that decides about a token of a device: the state of its chain. */
export interface DeviceState extends DeviceChain {
  deviceId: number
  keyPairId: number
  /** What tokens name it by. */
  chain: string
  name: string
  /** Of the secret that it was started with, and dies with. */
  secretVersion: number
}

/** All that decides about a registered token. */
export interface RegistrationState {
  tokenId: string
  keyPairId: number
  revokedAt: number | null
}

/** What tokens name beside their key. */
export interface TokenMarks {
  chains: readonly string[]
  /** Of registered tokens only. */
  tokenIds: readonly string[]
}

export interface TokenStates {
  states: KeyState[]
  devices: DeviceState[]
  registrations: RegistrationState[]
}

// Rows come as plain arrays, in this order: making an object of each costs as much as the query.
const columns = `key_pairs.id, key_pairs.api_key, key_pairs.secret_hash, key_pairs.hash_scheme,
    key_pairs.revoked_at, users.id as user_id, user_login, user_email, user_nicename, display_name,
    first_name, last_name, roles, status, users.created_at, key_pairs.expires_at, scopes, networks,
    secret_version, previous_hash, previous_scheme, previous_expires_at, require_device,
    users.expires_at as user_expires_at`
const source = `
  from key_pairs join users on users.id = key_pairs.user_id
  where key_pairs.api_key in `
const select = `select ${columns} ${source}`

const stateWidth = columns.split(',').length
// Named, because as the properties of an object two of the same name would be one.
const nulls = (count: number) =>
  Array.from({ length: count }, (_, index) => `null as none${index}`).join(', ')

// Keys, devices and registered tokens in one statement, and so as of one moment. Each has columns of
// its own: what shares one would be turned into text by MySQL. Tokens of neither kind never ask this.
const deviceColumns = `devices.id, devices.key_pair_id, chain, generation, issued_at,
    refresh_expires_at, ended_at, name, devices.secret_version as device_secret_version`
const deviceWidth = deviceColumns.split(',').length
const tokenColumns = 'token_id, registered_tokens.key_pair_id, revoked_at'
const tokenWidth = tokenColumns.split(',').length
const selectAll = (places: { keys: string; chains: string; tokenIds: string }) => `
  select ${columns}, ${nulls(deviceWidth + tokenWidth)} ${source} (${places.keys})
  union all
  select ${nulls(stateWidth)}, ${deviceColumns}, ${nulls(tokenWidth)} from devices
  where chain in (${places.chains})
  union all
  select ${nulls(stateWidth + deviceWidth)}, ${tokenColumns} from registered_tokens
  where token_id in (${places.tokenIds})`

type DeviceRow = [
  deviceId: number,
  keyPairId: number,
  chain: string,
  generation: number,
  issuedAt: number,
  refreshExpiresAt: number,
  endedAt: number | null,
  name: string,
  secretVersion: number,
]
type RegistrationRow = [tokenId: string, keyPairId: number, revokedAt: number | null]

function deviceFromRow(row: DeviceRow): DeviceState {
  const [deviceId, keyPairId, chain, generation, issuedAt, ...rest] = row
  const [refreshExpiresAt, endedAt, name, secretVersion] = rest
  const times = { issuedAt, refreshExpiresAt, endedAt }
  return { deviceId, keyPairId, chain, name, generation, secretVersion, ...times }
}

function registrationFromRow([tokenId, keyPairId, revokedAt]: RegistrationRow): RegistrationState {
  return { tokenId, keyPairId, revokedAt }
}

/** The rows of {@link selectAll}, each told by which of its columns are there. */
function sortRows(rows: readonly unknown[][]): TokenStates {
  const answer: TokenStates = { states: [], devices: [], registrations: [] }
  for (const row of rows) {
    if (row[0] !== null) answer.states.push(stateFromRow(row as unknown as StateRow))
    else if (row[stateWidth] !== null) {
      const device = row.slice(stateWidth, stateWidth + deviceWidth)
      answer.devices.push(deviceFromRow(device as DeviceRow))
    } else {
      const registration = row.slice(stateWidth + deviceWidth)
      answer.registrations.push(registrationFromRow(registration as RegistrationRow))
    }
  }
  return answer
}

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
  requireDevice: number,
  userExpiresAt: number | null,
]

function stateFromRow(row: StateRow): KeyState {
  const [keyPairId, apiKey, hash, scheme, revokedAt, id, login, email, nicename, ...rest] = row
  const [displayName, firstName, lastName, roles, status, createdAt, expiresAt, ...more] = rest
  const [scopes, networks, secretVersion, previousHash, previousScheme, ...last] = more
  const [previousExpiresAt, requireDevice, userExpiresAt] = last
  const names = { login, email, nicename, displayName, firstName, lastName }
  const times = { createdAt, expiresAt: userExpiresAt }
  const user = { id, ...names, roles: roles.split(',') as Role[], status, ...times }
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
      requireDevice: requireDevice === 1,
    },
    user,
  }
}

export interface KeyStateStore {
  /** Unknown keys are absent from the answer; the order is not that of the question. */
  read(apiKeys: readonly string[]): Promise<KeyState[]>
  /** The same, with the states of devices and of registered tokens, in the same one query. */
  readWithMarks(apiKeys: readonly string[], marks: TokenMarks): Promise<TokenStates>
  close(): void
}

/**
 * The query behind every check of a token. Its text never changes, so neither knex nor the database
 * has to make it anew for each request.
 */
export function createKeyStateStore(db: Knex, waitMs = 0): KeyStateStore {
  const { dialect, config } = db.client
  const filename: string | undefined = config.connection?.filename
  if (dialect === 'mysql') return createMySqlStore(db, waitMs)
  // A transaction, or a database in memory, is visible to its own connection only.
  if (db.isTransaction || !filename || filename === ':memory:') return createSharedSqliteStore(db)
  return createSqliteStore(filename)
}

/** Of a server that hangs: who asks has been told before that the service is unavailable. */
const longestReadMs = 2000

/** @param waitMs As for `retryElsewhere`: a read that starts again is as fresh as one that starts. */
function createMySqlStore(db: Knex, waitMs: number): KeyStateStore {
  // Of the time that a request waits, a server that hangs must leave some to the next one.
  const limitMs = waitMs > 0 ? waitMs / 2 : longestReadMs
  const reader = createMysqlReader(db)
  const ask = (sql: string, values: readonly string[]) =>
    retryElsewhere(() => reader.rows(sql, values, limitMs), waitMs)
  return {
    async read(apiKeys) {
      const rows = await ask(`${select} (${apiKeys.map(() => '?').join(',')})`, apiKeys)
      return rows.map((row) => stateFromRow(row as unknown as StateRow))
    },
    async readWithMarks(apiKeys, { chains, tokenIds }) {
      const lists = [apiKeys, chains, tokenIds]
      const [keys = '', chainPlaces = '', tokenPlaces = ''] = lists.map((list) =>
        // `in ()` is not SQL.
        list.length === 0 ? 'null' : list.map(() => '?').join(','),
      )
      const text = selectAll({ keys, chains: chainPlaces, tokenIds: tokenPlaces })
      return sortRows(await ask(text, lists.flat()))
    },
    close: reader.close,
  }
}

// One parameter, whatever the number of keys.
const sqliteList = 'select value from json_each(?)'
const sqliteSelect = `${select} (${sqliteList})`
const sqliteSelectAll = selectAll({ keys: sqliteList, chains: sqliteList, tokenIds: sqliteList })
const sqliteParameters = (apiKeys: readonly string[], { chains, tokenIds }: TokenMarks) =>
  [JSON.stringify(apiKeys), JSON.stringify(chains), JSON.stringify(tokenIds)] as const

function createSharedSqliteStore(db: Knex): KeyStateStore {
  return {
    async read(apiKeys) {
      const rows: object[] = await db.raw(sqliteSelect, [JSON.stringify(apiKeys)])
      return rows.map((row) => stateFromRow(Object.values(row) as StateRow))
    },
    async readWithMarks(apiKeys, marks) {
      const rows: object[] = await db.raw(sqliteSelectAll, [...sqliteParameters(apiKeys, marks)])
      return sortRows(rows.map((row) => Object.values(row)))
    },
    close() {},
  }
}

/**
 * A connection of its own, which knex's transactions never hold up: with a write-ahead log a reader
 * waits for nobody, and sees everything committed before its statement began.
 */
function createSqliteStore(filename: string): KeyStateStore {
  let database: Database.Database | undefined
  let statement: Database.Statement<[string], StateRow> | undefined
  let statementWithMarks: Database.Statement<[string, string, string], unknown[]> | undefined
  // Not before the first read: the schema may still have to be made.
  const open = () => {
    database ??= new Database(filename, { readonly: true })
    return database
  }
  return {
    async read(apiKeys) {
      statement ??= open().prepare<[string], StateRow>(sqliteSelect).raw()
      return statement.all(JSON.stringify(apiKeys)).map(stateFromRow)
    },
    async readWithMarks(apiKeys, marks) {
      statementWithMarks ??= open()
        .prepare<[string, string, string], unknown[]>(sqliteSelectAll)
        .raw()
      return sortRows(statementWithMarks.all(...sqliteParameters(apiKeys, marks)))
    },
    close() {
      database?.close()
      database = statement = statementWithMarks = undefined
    },
  }
}
