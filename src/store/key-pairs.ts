import type { Knex } from 'knex'
import type { KeyPair, RevocationReason, SecretHash } from '../domain/key-pair.js'
import { type KeyPairPolicy, openPolicy } from '../domain/key-pair-policy.js'
import { isAsciiValue } from './ascii.js'
import { contains } from './contains.js'
import { fromRow, type KeyPairRow, policyColumns } from './key-pair-rows.js'
import { retryDeadlocks } from './retry.js'

export interface NewKeyPair {
  userId: number
  name: string
  apiKey: string
  secret: SecretHash
  createdAt: number
  /** Nothing limits it if absent. */
  policy?: KeyPairPolicy
}

/** What of a pair can be changed. What is absent stays. */
export type KeyPairChanges = Partial<KeyPairPolicy & { name: string }>

export interface Rotation {
  /** The version of the secret that is replaced: of two simultaneous rotations, one wins. */
  fromVersion: number
  secret: SecretHash
  at: number
  /** Until when the secret before stays good; `null` if it dies at once. */
  overlapEndsAt: number | null
}

export interface Revocation {
  at: number
  by: number | null
  reason: RevocationReason
}

export interface Use {
  keyPairId: number
  at: number
  ip: string | null
  /** Which secret of the pair was exchanged; absent if none was. */
  secretVersion?: number
  /** Of a registered token that was used. */
  tokenId?: string | undefined
}

export interface SecretUse {
  keyPairId: number
  secretVersion: number
  at: number
}

export interface KeyPairFilter {
  /** Revoked pairs too. */
  includeRevoked: boolean
  /** Part of a name or of an API key. */
  search?: string
  offset: number
  limit: number
}

export interface KeyPairSummary {
  active: number
  revoked: number
  /** The active pair that was used last, if any was. */
  lastUsed: KeyPair | undefined
}

export interface KeyPairStore {
  insert(keyPair: NewKeyPair): Promise<KeyPair>
  /** Newest first; revoked ones only if asked for. */
  listByUser(userId: number, options?: { includeRevoked?: boolean }): Promise<KeyPair[]>
  /** Newest first. `total` counts what the filter matches on all pages. */
  page(userId: number, filter: KeyPairFilter): Promise<{ keyPairs: KeyPair[]; total: number }>
  summarise(userId: number): Promise<KeyPairSummary>
  /** @returns Whether there was such a pair, alive. */
  rename(userId: number, apiKey: string, name: string): Promise<boolean>
  /** @returns Whether there was such a pair, alive. */
  update(userId: number, apiKey: string, changes: KeyPairChanges): Promise<boolean>
  /** @returns Whether this call rotated it: `false` if it is dead, or another call came first. */
  rotate(userId: number, apiKey: string, rotation: Rotation): Promise<boolean>
  /** @returns Whether this call revoked it: `false` if there is none, or it was revoked before. */
  revoke(userId: number, apiKey: string, revocation: Revocation): Promise<boolean>
  /** The API keys of those alive, which stay so until the transaction ends, unless it revokes them. */
  lockAlive(userId: number): Promise<string[]>
  /** @returns How many this call revoked. */
  revokeAll(userId: number, revocation: Revocation): Promise<number>
  find(userId: number, apiKey: string): Promise<KeyPair | undefined>
  /**
   * Finds a pair by its owner and a secret of it, revoked pairs too.
   *
   * @param hash Of the secret of now, or of the one before while the overlap of its rotation lasts.
   * @returns The API key.
   */
  findApiKeyBySecret(loginOrEmail: string, hash: string, now: number): Promise<string | undefined>
  /** Touches nothing but `last_used_at` and `last_ip`, so it can never undo a revocation. */
  recordUses(uses: readonly Use[]): Promise<void>
  /** Of secrets that have been replaced twice since, nothing is recorded. */
  recordSecretUses(uses: readonly SecretUse[]): Promise<void>
  /** @returns How many pairs were deleted that had been revoked before `before`. */
  purgeRevoked(before: number): Promise<number>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createKeyPairStore(db: Knex): KeyPairStore {
  const keyPairs = () => db<KeyPairRow>('key_pairs')
  const alive = (userId: number) => keyPairs().where({ user_id: userId }).whereNull('revoked_at')
  const revocationColumns = (revocation: Revocation) => ({
    revoked_at: revocation.at,
    revoked_by: revocation.by,
    revoked_reason: revocation.reason,
  })

  async function update(userId: number, apiKey: string, changes: KeyPairChanges): Promise<boolean> {
    if (!isAsciiValue(apiKey)) return false
    const { name, ...policy } = changes
    const columns = { ...(name !== undefined && { name }), ...policyColumns(policy) }
    // An UPDATE must set something.
    if (Object.keys(columns).length === 0) {
      return (await alive(userId).where({ api_key: apiKey }).first('id')) !== undefined
    }
    return (await alive(userId).where({ api_key: apiKey }).update(columns)) > 0
  }

  return {
    async insert({ userId, name, apiKey, secret, createdAt, policy = openPolicy }) {
      const [id = 0] = await keyPairs().insert({
        user_id: userId,
        name,
        api_key: apiKey,
        secret_hash: secret.hash,
        hash_scheme: secret.scheme,
        created_at: createdAt,
        ...policyColumns(policy),
      })
      return {
        id,
        userId,
        name,
        apiKey,
        createdAt,
        lastUsedAt: null,
        lastIp: null,
        revokedAt: null,
        revokedBy: null,
        revokedReason: null,
        secretVersion: 0,
        secretUsedAt: null,
        previousSecret: null,
        ...policy,
      }
    },

    async listByUser(userId, { includeRevoked = false } = {}) {
      const query = includeRevoked ? keyPairs().where({ user_id: userId }) : alive(userId)
      return (await query.orderBy('id', 'desc')).map(fromRow)
    },

    async page(userId, { includeRevoked, search, offset, limit }) {
      const matching = () => {
        const query = includeRevoked ? keyPairs().where({ user_id: userId }) : alive(userId)
        return search ? query.where((where) => contains(where, ['name', 'api_key'], search)) : query
      }
      const rows = await matching().orderBy('id', 'desc').offset(offset).limit(limit)
      const [{ total } = { total: 0 }] = await matching().count({ total: '*' })
      return { keyPairs: rows.map(fromRow), total: Number(total) }
    },

    async summarise(userId) {
      const [counts] = await keyPairs()
        .where({ user_id: userId })
        .select(db.raw('count(*) as total, count(revoked_at) as revoked'))
      const { total, revoked } = counts as unknown as { total: number; revoked: number }
      const last = await alive(userId)
        .whereNotNull('last_used_at')
        .orderBy('last_used_at', 'desc')
        .first()
      return {
        active: Number(total) - Number(revoked),
        revoked: Number(revoked),
        lastUsed: last && fromRow(last),
      }
    },

    rename: (userId, apiKey, name) => update(userId, apiKey, { name }),

    update,

    // Guarded like a revocation. MySQL assigns from left to right: the old secret is saved first.
    async rotate(userId, apiKey, { fromVersion, secret, at, overlapEndsAt }) {
      if (!isAsciiValue(apiKey)) return false
      const hasOverlap = overlapEndsAt !== null
      const changed = await retryDeadlocks(
        async () =>
          alive(userId)
            .where({ api_key: apiKey, secret_version: fromVersion })
            .where((where) => where.whereNull('expires_at').orWhere('expires_at', '>', at))
            .update({
              previous_hash: hasOverlap ? db.ref('secret_hash') : null,
              previous_scheme: hasOverlap ? db.ref('hash_scheme') : null,
              previous_used_at: hasOverlap ? db.ref('secret_used_at') : null,
              previous_expires_at: overlapEndsAt,
              secret_hash: secret.hash,
              hash_scheme: secret.scheme,
              secret_used_at: null,
              secret_version: fromVersion + 1,
            } as object),
        db,
      )
      return changed > 0
    },

    // One guarded statement: of two simultaneous revocations one wins, and neither can be lost.
    async revoke(userId, apiKey, revocation) {
      if (!isAsciiValue(apiKey)) return false
      const changed = await retryDeadlocks(
        async () => alive(userId).where({ api_key: apiKey }).update(revocationColumns(revocation)),
        db,
      )
      return changed > 0
    },

    async lockAlive(userId) {
      return alive(userId).orderBy('id').forUpdate().pluck('api_key')
    },

    async revokeAll(userId, revocation) {
      return retryDeadlocks(async () => alive(userId).update(revocationColumns(revocation)), db)
    },

    async find(userId, apiKey) {
      if (!isAsciiValue(apiKey)) return undefined
      const row = await keyPairs().where({ user_id: userId, api_key: apiKey }).first()
      return row && fromRow(row)
    },

    // By the hash, which an index finds at once however many pairs the user has. Whether there is such
    // a user makes no difference to what is asked.
    async findApiKeyBySecret(loginOrEmail, hash, now) {
      if (!isAsciiValue(loginOrEmail)) return undefined
      const owned = () =>
        keyPairs()
          // SQLite would begin with the user, and look at all their pairs: crossed, the order stays.
          .crossJoin('users', 'users.id', 'key_pairs.user_id')
          .where((where) =>
            where.where('user_login', loginOrEmail).orWhere('user_email', loginOrEmail),
          )
          .select('api_key', 'revoked_at')
      const previous = owned().where('previous_hash', hash).where('previous_expires_at', '>', now)
      const rows = await owned().where('secret_hash', hash).unionAll(previous)
      const found = rows.find((row) => row.revoked_at === null) ?? rows[0]
      return found?.api_key
    },

    async recordUses(uses) {
      if (uses.length === 0) return
      const when = 'when ? then ?'
      const whens = uses.map(() => when).join(' ')
      const ids = uses.map((use) => use.keyPairId)
      const columns = {
        last_used_at: db.raw(
          `case id ${whens} else last_used_at end`,
          uses.flatMap((use) => [use.keyPairId, use.at]),
        ),
        last_ip: db.raw(
          `case id ${whens} else last_ip end`,
          uses.flatMap((use) => [use.keyPairId, use.ip]),
        ),
      }
      await retryDeadlocks(async () => keyPairs().whereIn('id', ids).update(columns))
    },

    async recordSecretUses(uses) {
      if (uses.length === 0) return
      const times = (column: string, lag: number) => {
        const whens = uses.map(() => 'when id = ? and secret_version = ? then ?').join(' ')
        const values = uses.flatMap((use) => [use.keyPairId, use.secretVersion + lag, use.at])
        return db.raw(`case ${whens} else ${column} end`, values)
      }
      const ids = [...new Set(uses.map((use) => use.keyPairId))]
      const columns = {
        secret_used_at: times('secret_used_at', 0),
        previous_used_at: times('previous_used_at', 1),
      }
      await retryDeadlocks(async () => keyPairs().whereIn('id', ids).update(columns))
    },

    async purgeRevoked(before) {
      return keyPairs().where('revoked_at', '<', before).delete()
    },
  }
}
