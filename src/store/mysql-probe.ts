import type { ConnectionOptions } from 'mysql2'
import { makeStrict } from './mysql-session.js'

/** Longer, and whoever waits for an answer had better go elsewhere. */
const probeTimeoutMs = 1000

/**
 * Whether a server answers a strict read now. `select 1` would not tell: a Galera node without the
 * majority, and one that has just woken up, still answer it.
 */
export async function probeServer(options: ConnectionOptions): Promise<boolean> {
  // Not with this module, which comes along where there is no such server.
  const { createConnection } = await import('mysql2')
  return new Promise((resolve) => {
    const connection = createConnection({ ...options, connectTimeout: probeTimeoutMs })
    const timer = setTimeout(() => finish(false), probeTimeoutMs)
    function finish(isWell: boolean): void {
      clearTimeout(timer)
      connection.destroy()
      resolve(isWell)
    }
    function onAnswer(error: { code?: string } | null): void {
      // A schema that is not there yet is the whole cluster's.
      finish(!error || error.code === 'ER_NO_SUCH_TABLE')
    }
    // An error that nobody listens for would end the process.
    connection.on('error', () => finish(false))
    connection.connect((error) => {
      if (error) return finish(false)
      makeStrict(connection as never)
        .then(() => {
          connection.query('select name from migrations limit 1', onAnswer)
        })
        .catch(() => finish(false))
    })
  })
}
