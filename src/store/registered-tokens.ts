import type { Knex } from 'knex'
import {
  maxRegisteredTokens,
  type RegisteredToken,
  tokenIdPattern,
} from '../domain/registered-token.js'
import { retryDeadlocks } from './retry.js'

interface RegisteredTokenRow {
  id: number
  token_id: string
  key_pair_id: number
  device: string | null
  description: string
  issued_at: number
  expires_at: number
  last_used_at: number | null
  last_ip: string | null
  revoked_at: number | null
  revoked_by: number | null
}

export type NewRegisteredToken = Omit<RegisteredToken, 'lastUsedAt' | 'lastIp' | 'revokedAt'>

export interface TokenUse {
  tokenId: string
  at: number
  ip: string | null
}

export interface RegisteredTokenStore {
  /**
   * To be called within a transaction.
   *
   * @returns `full` if the key-pair has {@link maxRegisteredTokens} that live, `gone` if there is no
   *   such pair.
   */
  insert(token: NewRegisteredToken): Promise<'inserted' | 'full' | 'gone'>
  /** How many of a key-pair live at a moment. */
  countAlive(keyPairId: number, at: number): Promise<number>
  /** Those that have not expired by `at`, revoked ones too; newest first. */
  listByKeyPairs(keyPairIds: readonly number[], at: number): Promise<RegisteredToken[]>
  /** @returns Whether this call revoked it: `false` if there is none, or it had been revoked before. */
  revoke(keyPairId: number, tokenId: string, at: number, by: number | null): Promise<boolean>
  /** Touches nothing but `last_used_at` and `last_ip`, so it can never undo a revocation. */
  recordUses(uses: readonly TokenUse[]): Promise<void>
  /** @returns How many were deleted that have expired. */
  purgeExpired(now: number): Promise<number>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createRegisteredTokenStore(db: Knex): RegisteredTokenStore {
  const tokens = () => db<RegisteredTokenRow>('registered_tokens')

  async function countAlive(keyPairId: number, at: number): Promise<number> {
    const [{ total } = { total: 0 }] = await tokens()
      .where({ key_pair_id: keyPairId })
      .whereNull('revoked_at')
      .where('expires_at', '>', at)
      .count({ total: '*' })
    return Number(total)
  }

  return {
    async insert(token) {
      const { keyPairId, issuedAt: at } = token
      // Others of the same pair wait here, so that the count is that of all of them.
      if (!(await db('key_pairs').where({ id: keyPairId }).forUpdate().first('id'))) return 'gone'
      if ((await countAlive(keyPairId, at)) >= maxRegisteredTokens) return 'full'
      const ofPair = () => tokens().where({ key_pair_id: keyPairId })
      const [{ total } = { total: 0 }] = await ofPair().count({ total: '*' })
      if (Number(total) >= maxRegisteredTokens) {
        // One that is revoked is refused also when it is on no list any more.
        await ofPair()
          .where((where) => where.whereNotNull('revoked_at').orWhere('expires_at', '<=', at))
          .delete()
      }
      await tokens().insert({
        token_id: token.tokenId,
        key_pair_id: keyPairId,
        device: token.device,
        description: token.description,
        issued_at: at,
        expires_at: token.expiresAt,
      })
      return 'inserted'
    },

    countAlive,

    async listByKeyPairs(keyPairIds, at) {
      if (keyPairIds.length === 0) return []
      const rows = await tokens()
        .whereIn('key_pair_id', keyPairIds)
        .where('expires_at', '>', at)
        .orderBy('id', 'desc')
      return rows.map(fromRow)
    },

    async revoke(keyPairId, tokenId, at, by) {
      if (!tokenIdPattern.test(tokenId)) return false
      const changed = await tokens()
        .where({ token_id: tokenId, key_pair_id: keyPairId })
        .whereNull('revoked_at')
        .update({ revoked_at: at, revoked_by: by })
      return changed > 0
    },

    async recordUses(uses) {
      if (uses.length === 0) return
      const whens = uses.map(() => 'when ? then ?').join(' ')
      const caseOf = (column: string, from: (use: TokenUse) => number | string | null) =>
        db.raw(
          `case token_id ${whens} else ${column} end`,
          uses.flatMap((use) => [use.tokenId, from(use)]),
        )
      const columns = {
        last_used_at: caseOf('last_used_at', (use) => use.at),
        last_ip: caseOf('last_ip', (use) => use.ip),
      }
      const ids = uses.map((use) => use.tokenId)
      await retryDeadlocks(async () => tokens().whereIn('token_id', ids).update(columns))
    },

    async purgeExpired(now) {
      return tokens().where('expires_at', '<=', now).delete()
    },
  }
}

function fromRow(row: RegisteredTokenRow): RegisteredToken {
  return {
    tokenId: row.token_id,
    keyPairId: row.key_pair_id,
    device: row.device,
    description: row.description,
    issuedAt: Number(row.issued_at),
    expiresAt: Number(row.expires_at),
    lastUsedAt: row.last_used_at === null ? null : Number(row.last_used_at),
    lastIp: row.last_ip,
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
  }
}
