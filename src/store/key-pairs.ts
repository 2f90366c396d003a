import type { Knex } from 'knex'
import type { KeyPair, RevocationReason, SecretHash } from '../domain/key-pair.js'
import { isAsciiValue } from './ascii.js'
import { contains } from './contains.js'
import { retryDeadlocks } from './retry.js'

interface KeyPairRow {
  id: number
  user_id: number
  name: string
  api_key: string
  secret_hash: string
  hash_scheme: string
  created_at: number
  last_used_at: number | null
  last_ip: string | null
  revoked_at: number | null
  revoked_by: number | null
  revoked_reason: string | null
}

export interface NewKeyPair {
  userId: number
  name: string
  apiKey: string
  secret: SecretHash
  createdAt: number
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
  /** @returns Whether this call revoked it: `false` if there is none, or it was revoked before. */
  revoke(userId: number, apiKey: string, revocation: Revocation): Promise<boolean>
  /** @returns How many this call revoked. */
  revokeAll(userId: number, revocation: Revocation): Promise<number>
  find(userId: number, apiKey: string): Promise<KeyPair | undefined>
  /** Touches nothing but `last_used_at` and `last_ip`, so it can never undo a revocation. */
  recordUses(uses: readonly Use[]): Promise<void>
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

  return {
    async insert({ userId, name, apiKey, secret, createdAt }) {
      const [id = 0] = await keyPairs().insert({
        user_id: userId,
        name,
        api_key: apiKey,
        secret_hash: secret.hash,
        hash_scheme: secret.scheme,
        created_at: createdAt,
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

    async rename(userId, apiKey, name) {
      if (!isAsciiValue(apiKey)) return false
      return (await alive(userId).where({ api_key: apiKey }).update({ name })) > 0
    },

    // One guarded statement: of two simultaneous revocations one wins, and neither can be lost.
    async revoke(userId, apiKey, revocation) {
      if (!isAsciiValue(apiKey)) return false
      const changed = await retryDeadlocks(async () =>
        alive(userId).where({ api_key: apiKey }).update(revocationColumns(revocation)),
      )
      return changed > 0
    },

    async revokeAll(userId, revocation) {
      return retryDeadlocks(async () => alive(userId).update(revocationColumns(revocation)))
    },

    async find(userId, apiKey) {
      if (!isAsciiValue(apiKey)) return undefined
      const row = await keyPairs().where({ user_id: userId, api_key: apiKey }).first()
      return row && fromRow(row)
    },

    async recordUses(uses) {
      if (uses.length === 0) return
      const when = 'when ? then ?'
      const whens = uses.map(() => when).join(' ')
      await keyPairs()
        .whereIn(
          'id',
          uses.map((use) => use.keyPairId),
        )
        .update({
          last_used_at: db.raw(
            `case id ${whens} else last_used_at end`,
            uses.flatMap((use) => [use.keyPairId, use.at]),
          ),
          last_ip: db.raw(
            `case id ${whens} else last_ip end`,
            uses.flatMap((use) => [use.keyPairId, use.ip]),
          ),
        })
    },

    async purgeRevoked(before) {
      return keyPairs().where('revoked_at', '<', before).delete()
    },
  }
}

function fromRow(row: KeyPairRow): KeyPair {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    apiKey: row.api_key,
    createdAt: Number(row.created_at),
    lastUsedAt: row.last_used_at === null ? null : Number(row.last_used_at),
    lastIp: row.last_ip,
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
    revokedBy: row.revoked_by,
    revokedReason: row.revoked_reason as RevocationReason | null,
  }
}
