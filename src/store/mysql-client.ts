import type { Knex } from 'knex'
import Mysql2Client from 'knex/lib/dialects/mysql2/index.js'

interface Connection {
  /** Why the pool must not give this connection out again. */
  __knex__disposed?: Error
  destroy(): void
}

const transactionControl = /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET TRANSACTION)\b/i

/**
 * knex's mysql2 client, with a time limit on the statements that begin and end transactions.
 *
 * knex limits what its builders send, but these it sends itself, without a limit: a server that hangs
 * would hold the request, and a connection of the pool, for ever.
 *
 * @param timeoutMs Longest wait for the server's answer.
 */
export function createMysqlClient(timeoutMs: number): typeof Knex.Client {
  return class MysqlClient extends Mysql2Client {
    override async _query(connection: Connection, statement: { sql: string }): Promise<unknown> {
      if (!transactionControl.test(statement.sql)) return super._query(connection, statement)
      // Its server owes an answer already. Closing the connection ends the transaction, and with it
      // its locks; a statement that waits in line behind others may do so much later.
      if (connection.__knex__disposed) {
        connection.destroy()
        throw connection.__knex__disposed
      }
      let timer: NodeJS.Timeout | undefined
      const expiry = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const error = new Error(`No answer to ${statement.sql} within ${timeoutMs} ms`)
          connection.__knex__disposed = Object.assign(error, { code: 'ETIMEDOUT' })
          connection.destroy()
          reject(error)
        }, timeoutMs)
      })
      try {
        return await Promise.race([super._query(connection, statement), expiry])
      } finally {
        clearTimeout(timer)
      }
    }
  }
}
