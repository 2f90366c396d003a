/** What is asked of a connection when it is made: mysql2's, with callbacks. */
export interface MySqlConnection {
  query(
    statement: { sql: string; rowsAsArray: true },
    done: (error: Error | null, rows: unknown) => void,
  ): void
}

/** The server answers, but not with what is true now; another may. */
export class ServerNotReadyError extends Error {
  override readonly name = 'ServerNotReadyError'
  readonly code = 'SERVER_NOT_READY'
}

// `innodb_read_only` is how a reader of Aurora is known.
const readOnly = ['read_only', 'innodb_read_only']
const variables = ['wsrep_on', 'wsrep_provider', ...readOnly]
// MariaDB says there whether it is applying another server's changes, read-only or not.
const statuses = ['Slave_running', 'wsrep_ready', 'wsrep_local_state', 'wsrep_cluster_status']
const laggard =
  'a replica lags behind its primary, so a revoked key would live on there. Name the primary, or nodes of a Galera cluster, in DATABASE_URL.'
/** Of `wsrep_local_state`: as far as the others. A donor or a joiner is not. */
const synced = '4'

/**
 * Makes a new connection one whose reads are strict: they see every change that was committed before
 * they began, on whichever server of a cluster it was.
 *
 * On a Galera node that is `wsrep_sync_wait=1`: a read waits until what the group has ordered so far is
 * applied here. One that is cut off from the majority, or not in step, is refused; so is a replica,
 * which lags behind its primary and cannot know by how much.
 *
 * @returns Whether the server is a Galera node.
 * @throws {ServerNotReadyError}
 */
export async function makeStrict(connection: MySqlConnection): Promise<boolean> {
  const settings = await pairs(connection, 'variables', variables)
  const hasProvider = (settings.get('wsrep_provider') ?? 'none') !== 'none'
  const isGalera = settings.get('wsrep_on') === 'ON' && hasProvider
  const status = await pairs(connection, 'status', statuses)
  if (readOnly.some((name) => settings.get(name) === 'ON')) {
    throw new ServerNotReadyError(`The database server is read-only, as replicas are: ${laggard}`)
  }
  if (status.get('Slave_running') === 'ON') {
    throw new ServerNotReadyError(`The database server is a replica of another one: ${laggard}`)
  }
  // A statement must see what was committed before it began, not what was there when its transaction
  // began: the check after a row lock depends on it.
  await send(connection, 'set session transaction isolation level read committed')
  if (!isGalera) return false
  const isReady = status.get('wsrep_ready') === 'ON' && status.get('wsrep_local_state') === synced
  if (!isReady || status.get('wsrep_cluster_status') !== 'Primary') {
    throw new ServerNotReadyError(
      'The Galera node is not in step with the majority of its cluster.',
    )
  }
  await send(connection, 'set session wsrep_sync_wait = 1')
  return true
}

async function pairs(
  connection: MySqlConnection,
  kind: 'variables' | 'status',
  names: readonly string[],
): Promise<Map<string, string>> {
  const list = names.map((name) => `'${name}'`).join(', ')
  const rows = await send(connection, `show global ${kind} where variable_name in (${list})`)
  return new Map(rows as [string, string][])
}

function send(connection: MySqlConnection, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.query({ sql, rowsAsArray: true }, (error, rows) => {
      if (error) reject(error)
      else resolve(rows)
    })
  })
}
