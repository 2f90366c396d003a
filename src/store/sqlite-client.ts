import BetterSqlite3Client from 'knex/lib/dialects/better-sqlite3/index.js'

interface Statement {
  sql: string
  bindings?: unknown[]
}

/**
 * knex's better-sqlite3 client, with write transactions that take the write lock when they begin.
 *
 * knex sends a plain `BEGIN`, which takes it at the first write. A transaction that has read before
 * that fails at once with SQLITE_BUSY_SNAPSHOT if another process (the CLI) wrote in between, and
 * the busy timeout does not help, because waiting could not make its snapshot current.
 */
export class SqliteClient extends BetterSqlite3Client {
  override async _query(connection: unknown, statement: Statement): Promise<unknown> {
    if (statement.sql === 'BEGIN;') statement.sql = 'BEGIN IMMEDIATE;'
    return super._query(connection, statement)
  }
}
