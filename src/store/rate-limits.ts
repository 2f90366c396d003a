import type { Knex } from 'knex'
import { retryDeadlocks } from './retry.js'

interface RateLimitRow {
  id: string
  consumed: number
  expires_at: number
}

/** How much of a quota is used up, until when. */
export interface Count {
  consumed: number
  /** Seconds since the Unix epoch. */
  expiresAt: number
}

/** Counts by key. A count that has expired is none. */
export interface CountStore {
  /** Adds one, and starts a window where there is none. */
  add(id: string, window: number, now: number): Promise<Count>
  /** Takes one back from the window that runs, if one does. */
  takeBack(id: string, now: number): Promise<Count | undefined>
  find(id: string, now: number): Promise<Count | undefined>
}

export interface RateLimitStore extends CountStore {
  /** @returns How many expired counts were deleted. */
  purgeExpired(now: number): Promise<number>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createRateLimitStore(db: Knex): RateLimitStore {
  const counts = () => db<RateLimitRow>('rate_limits')

  async function find(id: string, now: number): Promise<Count | undefined> {
    const row = await counts().where({ id }).where('expires_at', '>', now).first()
    return row && { consumed: row.consumed, expiresAt: Number(row.expires_at) }
  }

  return {
    find,

    async add(id, window, now) {
      const expiresAt = now + window
      // MySQL assigns from left to right: the count must still see the old end of the window.
      await retryDeadlocks(async () =>
        counts()
          .insert({ id, consumed: 1, expires_at: expiresAt })
          .onConflict('id')
          .merge({
            consumed: db.raw(
              'case when rate_limits.expires_at <= ? then 1 else rate_limits.consumed + 1 end',
              [now],
            ),
            expires_at: db.raw(
              'case when rate_limits.expires_at <= ? then ? else rate_limits.expires_at end',
              [now, expiresAt],
            ),
          }),
      )
      return (await find(id, now)) ?? { consumed: 1, expiresAt }
    },

    async takeBack(id, now) {
      await counts()
        .where({ id })
        .where('expires_at', '>', now)
        .where('consumed', '>', 0)
        .decrement('consumed')
      return find(id, now)
    },

    async purgeExpired(now) {
      return counts().where('expires_at', '<=', now).delete()
    },
  }
}
