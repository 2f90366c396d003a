import type { Knex } from 'knex'
import { migrationNames } from '../../db/migration-source.js'
import { takeMigrationLease } from './migration-lease.js'
import { retryElsewhere } from './retry.js'

/** Longest time to wait for another node that is migrating, in seconds. */
const lockTimeout = 120

/** Somebody else holds the lock, and has held it for longer than a migration takes. */
export class MigrationLockError extends Error {
  override readonly name = 'MigrationLockError'
}

/**
 * Brings the schema up to date. Several processes may call this at the same moment: one works, the
 * others wait for it and then find nothing to do.
 *
 * @param waitMs How long another of several servers is looked for if the first one is away.
 * @returns The names of the migrations that were run, oldest first; empty if there were none.
 * @throws {MigrationLockError}
 */
export async function migrate(db: Knex, waitMs = 0): Promise<string[]> {
  return db.client.dialect === 'sqlite3' ? migrateSqlite(db) : migrateMySql(db, waitMs)
}

/** @returns The names of the migrations that have not been run, oldest first. */
export async function pendingMigrations(db: Knex): Promise<string[]> {
  const done = new Set(await migrationsDone(db))
  return migrationNames.filter((name) => !done.has(name))
}

// Not by asking for the table first: knex puts no time limit on questions about the schema.
async function migrationsDone(db: Knex): Promise<string[]> {
  try {
    return await db<{ name: string }>('migrations').pluck('name')
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code === 'ER_NO_SUCH_TABLE' || /no such table: migrations/.test(message)) return []
    throw error
  }
}

// SQLite's DDL is transactional, so one write transaction is both the lock between processes and the
// guarantee that a crash leaves no half of it.
function migrateSqlite(db: Knex): Promise<string[]> {
  return db.transaction((trx) => runPending(trx, { disableTransactions: true }))
}

// MySQL commits each DDL statement at once. A named lock of the server keeps nodes apart and is
// released by the server when its holder dies. It belongs to a connection, which is kept beside the
// one that works: DATABASE_POOL_MAX is therefore at least two.
async function migrateMySql(db: Knex, waitMs: number): Promise<string[]> {
  if (await retryElsewhere(() => isGalera(db), waitMs)) return migrateGalera(db)
  const connection = await db.client.acquireConnection()
  const query = (sql: string) => db.raw(sql).connection(connection)
  // Names of locks are the whole server's, and shorter than names of databases may be.
  const name = "concat('twinkey_', sha1(database()))"
  try {
    const [[row]] = await query(`select get_lock(${name}, ${lockTimeout}) as acquired`).timeout(
      (lockTimeout + 5) * 1000,
    )
    if (row.acquired !== 1) {
      throw heldTooLong()
    }
    try {
      return await runPending(db)
    } finally {
      await query(`select release_lock(${name})`)
    }
  } finally {
    await db.client.releaseConnection(connection)
  }
}

async function isGalera(db: Knex): Promise<boolean> {
  const [rows] = await db.raw(
    "show global variables where variable_name = 'wsrep_on' and value = 'ON'",
  )
  return rows.length > 0
}

// A named lock would be that of one server of the cluster.
async function migrateGalera(db: Knex): Promise<string[]> {
  if ((await pendingMigrations(db)).length === 0) return []
  const lease = await takeMigrationLease(db, { waitMs: lockTimeout * 1000 })
  if (!lease) throw heldTooLong()
  const done: string[] = []
  try {
    await db.migrate.forceFreeMigrationsLock()
    for (;;) {
      // One that was stopped for so long that it was taken for dead must not go on.
      await lease.renew()
      const [, names] = await db.migrate.up()
      if (names.length === 0) return done
      done.push(...names)
    }
  } finally {
    await lease.release()
  }
}

function heldTooLong(): MigrationLockError {
  return new MigrationLockError(
    `Another process has been migrating this database for ${lockTimeout} s.`,
  )
}

async function runPending(db: Knex, options?: Knex.MigratorConfig): Promise<string[]> {
  // knex's own lock is a row, which stays behind when its holder dies. We hold a lock of ours, so
  // whoever left that row is dead.
  await db.migrate.forceFreeMigrationsLock()
  const [, names] = await db.migrate.latest(options)
  return names as string[]
}
