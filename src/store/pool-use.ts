import type { Knex } from 'knex'

/** Connections to the database, and who waits for one. */
export interface PoolUse {
  used: number
  free: number
  /** Connections that are being made. */
  creating: number
  /** Statements and transactions that wait for a connection. */
  waiting: number
  max: number
}

interface Pool {
  max: number
  numUsed(): number
  numFree(): number
  numPendingCreates(): number
  numPendingAcquires(): number
}

export function poolUse(db: Knex): PoolUse {
  const pool: Pool = db.client.pool
  return {
    used: pool.numUsed(),
    free: pool.numFree(),
    creating: pool.numPendingCreates(),
    waiting: pool.numPendingAcquires(),
    max: pool.max,
  }
}
