import { setTimeout as delay } from 'node:timers/promises'
import BetterSqlite3Client from 'knex/lib/dialects/better-sqlite3/index.js'

interface Statement {
  sql: string
  bindings?: unknown[]
}

interface Connection {
  inTransaction: boolean
}

/** How long a statement waits for another process (the CLI, say) to finish writing. */
const busyTimeoutMs = 5000

/**
 * SQLite's own part of that wait, for `pragma busy_timeout`: the usual commit of another process is
 * over by then. SQLite sleeps in our only thread, so for the rest of the time nothing would be answered.
 */
export const busySleepMs = 20

/**
 * knex's better-sqlite3 client, with write transactions that take the write lock when they begin.
 *
 * knex sends a plain `BEGIN`, which takes it at the first write. A transaction that has read before
 * that fails at once with SQLITE_BUSY_SNAPSHOT if another process (the CLI) wrote in between, and
 * the busy timeout does not help, because waiting could not make its snapshot current.
 */
export class SqliteClient extends BetterSqlite3Client {
  override async _query(connection: Connection, statement: Statement): Promise<unknown> {
    if (statement.sql === 'BEGIN;') statement.sql = 'BEGIN IMMEDIATE;'
    // After a full disk or a failed read SQLite has rolled back by itself. Doing it again would fail,
    // and hide the true reason.
    if (/^ROLLBACK\b(?! TO)/i.test(statement.sql) && !connection.inTransaction) return undefined
    const deadline = performance.now() + busyTimeoutMs
    for (;;) {
      try {
        return await super._query(connection, statement)
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) throw error
        await delay(5 + 20 * Math.random())
      }
    }
  }
}

/**
 * Whether the statement has done nothing yet, because another process is writing. The same inside a
 * transaction (SQLITE_BUSY_SNAPSHOT) is another matter: waiting does not help there.
 */
function isBusy(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'SQLITE_BUSY' || code === 'SQLITE_BUSY_RECOVERY'
}
