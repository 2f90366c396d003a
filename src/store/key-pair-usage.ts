import type { Knex } from 'knex'
import { retryDeadlocks } from './retry.js'

interface UsageRow {
  key_pair_id: number
  day: number
  exchanges: number
}

/** How often a key-pair was exchanged or refreshed on one day. */
export interface DailyUsage {
  keyPairId: number
  /** Days since the Unix epoch, in UTC. */
  day: number
  exchanges: number
}

export interface KeyPairUsageStore {
  /** Adds to what is there. One statement, whatever the number of pairs. */
  add(usage: readonly DailyUsage[]): Promise<void>
  /** Days without use are absent. */
  list(keyPairIds: readonly number[], fromDay: number): Promise<DailyUsage[]>
  /** @returns How many rows of days before `beforeDay` were deleted. */
  purge(beforeDay: number): Promise<number>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createKeyPairUsageStore(db: Knex): KeyPairUsageStore {
  const rows = () => db<UsageRow>('key_pair_usage')
  const sum =
    db.client.dialect === 'sqlite3'
      ? 'key_pair_usage.exchanges + excluded.exchanges'
      : 'key_pair_usage.exchanges + values(exchanges)'
  return {
    async add(usage) {
      if (usage.length === 0) return
      // Always in the same order, so that two nodes that flush at once wait instead of deadlocking.
      const sorted = [...usage].sort((a, b) => a.keyPairId - b.keyPairId || a.day - b.day)
      await retryDeadlocks(async () =>
        rows()
          .insert(
            sorted.map(({ keyPairId, day, exchanges }) => ({
              key_pair_id: keyPairId,
              day,
              exchanges,
            })),
          )
          .onConflict(['key_pair_id', 'day'])
          .merge({ exchanges: db.raw(sum) }),
      )
    },

    async list(keyPairIds, fromDay) {
      if (keyPairIds.length === 0) return []
      const found = await rows().whereIn('key_pair_id', keyPairIds).where('day', '>=', fromDay)
      return found.map((row) => ({
        keyPairId: row.key_pair_id,
        day: row.day,
        exchanges: row.exchanges,
      }))
    },

    async purge(beforeDay) {
      return rows().where('day', '<', beforeDay).delete()
    },
  }
}
