import type { Knex } from 'knex'
import Mysql2Client from 'knex/lib/dialects/mysql2/index.js'
import type { DatabaseHost } from '../database-url.js'
import type { DatabaseHosts } from './database-hosts.js'
import { makeStrict, type MySqlConnection } from './mysql-session.js'

export interface Connection extends MySqlConnection {
  /** Why the pool must not give this connection out again. */
  __knex__disposed?: Error
  /** Where it leads. */
  databaseHost?: DatabaseHost
  destroy(): void
}

/** What of the client is used beside what knex documents. */
export interface MysqlClient {
  acquireConnection(): Promise<Connection>
  releaseConnection(connection: Connection): Promise<void>
  /** Whether it leads to the server that is preferred now. */
  isCurrent(connection: Connection): boolean
  /** Sends a statement as it is. `response`: the rows, then their fields. */
  _query(
    connection: Connection,
    statement: { sql: string; bindings?: readonly unknown[]; options?: { rowsAsArray: true } },
  ): Promise<{ response: [unknown[][], unknown] }>
}

const transactionControl = /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET TRANSACTION)\b/i

/** The server itself is at fault, or the way to it; not the statement. */
const hostFailures = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ER_SERVER_SHUTDOWN',
  // 1047: a Galera node without the majority.
  'ER_UNKNOWN_COM_ERROR',
  'SERVER_NOT_READY',
])

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

/** The connection broke when the transaction was being committed: it may have been, or not. */
export class CommitOutcomeError extends Error {
  override readonly name = 'CommitOutcomeError'
  readonly code = 'COMMIT_OUTCOME_UNKNOWN'
}

/**
 * knex's mysql2 client, with strict reads on every connection, a choice among several servers, and a
 * time limit on the statements that begin and end transactions.
 *
 * knex limits what its builders send, but these it sends itself, without a limit: a server that hangs
 * would hold the request, and a connection of the pool, for ever.
 *
 * @param timeoutMs Longest wait for the server's answer.
 */
export function createMysqlClient(timeoutMs: number, hosts: DatabaseHosts): typeof Knex.Client {
  return class MysqlClient extends Mysql2Client {
    override async acquireRawConnection(): Promise<unknown> {
      const databaseHost = hosts.current()
      // knex reads them when it makes the connection, before anybody else can run.
      Object.assign(this.connectionSettings, databaseHost)
      let connection: Connection | undefined
      try {
        connection = (await super.acquireRawConnection()) as Connection
        await withTimeLimit(makeStrict(connection), timeoutMs)
        connection.databaseHost = databaseHost
        return connection
      } catch (error) {
        connection?.destroy()
        if (hostFailures.has(String(codeOf(error)))) hosts.failed(databaseHost)
        throw error
      }
    }

    override async destroy(callback?: () => void): Promise<void> {
      hosts.close()
      await super.destroy(callback as () => void)
    }

    override async validateConnection(connection: Connection): Promise<boolean> {
      return this.isCurrent(connection) && super.validateConnection(connection)
    }

    isCurrent(connection: Connection): boolean {
      return connection.databaseHost === hosts.current()
    }

    // No private methods: the client of a transaction has this prototype and was never constructed.
    override async _query(connection: Connection, statement: { sql: string }): Promise<unknown> {
      const send = () => super._query(connection, statement)
      try {
        if (!transactionControl.test(statement.sql)) return await send()
        return await control(connection, send, timeoutMs)
      } catch (error) {
        if (hostFailures.has(String(codeOf(error)))) {
          // It may go on working, but another server has what this one has not.
          connection.__knex__disposed ??= error as Error
          if (connection.databaseHost) hosts.failed(connection.databaseHost)
        }
        if (/^COMMIT/i.test(statement.sql) && isOutcomeUnknown(error)) {
          throw new CommitOutcomeError('Nobody can tell whether it was committed', { cause: error })
        }
        throw error
      }
    }
  }
}

/** Begins or ends a transaction. */
async function control(
  connection: Connection,
  send: () => Promise<unknown>,
  timeoutMs: number,
): Promise<unknown> {
  // Its server owes an answer already. Closing the connection ends the transaction, and with it
  // its locks; a statement that waits in line behind others may do so much later.
  if (connection.__knex__disposed) {
    connection.destroy()
    throw connection.__knex__disposed
  }
  try {
    return await withTimeLimit(send(), timeoutMs)
  } catch (error) {
    if (error instanceof TimeLimitError) {
      connection.__knex__disposed = error
      connection.destroy()
    }
    throw error
  }
}

/** A Galera node that loses its group in the middle of a commit cannot tell either. */
const doubtful = new Set(['ER_UNKNOWN_COM_ERROR', 'ER_ERROR_DURING_COMMIT'])

/** Whether the server has said nothing of its own about the statement. */
function isOutcomeUnknown(error: unknown): boolean {
  const code = String(codeOf(error))
  return !code.startsWith('ER_') || doubtful.has(code)
}

export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
  readonly code = 'ETIMEDOUT'
}

export async function withTimeLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimeLimitError(`The database server gave no answer within ${limitMs} ms`))
    }, limitMs)
  })
  try {
    return await Promise.race([work, expiry])
  } finally {
    clearTimeout(timer)
  }
}
