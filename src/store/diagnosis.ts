import type { Knex } from 'knex'

// Questions that only `twinkey doctor` asks.

/** @returns The clock of a MySQL server, in seconds since the Unix epoch. */
export async function databaseClock(db: Knex): Promise<number> {
  const [[row]] = await db.raw('select unix_timestamp(now(3)) as clock')
  return Number(row.clock)
}

/**
 * Whether rows can be added, changed and deleted: each statement is allowed or refused, though it finds
 * no row to touch.
 *
 * @returns Why not, if not.
 */
export async function tryWriting(db: Knex): Promise<string | undefined> {
  try {
    for (const table of ['users', 'key_pairs', 'sessions']) {
      await db.raw('insert into ?? select * from ?? where 1 = 0', [table, table])
      await db.raw('update ?? set id = id where 1 = 0', [table])
      await db.raw('delete from ?? where 1 = 0', [table])
    }
    return undefined
  } catch (error) {
    const { sqlMessage, message } = error as Error & { sqlMessage?: string }
    return sqlMessage ?? message
  }
}

export async function checkFile(
  db: Knex,
): Promise<{ journalMode: string; problem: string | undefined }> {
  const [{ journal_mode: journalMode }] = await db.raw('pragma journal_mode')
  const [{ quick_check: result }] = await db.raw('pragma quick_check(1)')
  return { journalMode, problem: result === 'ok' ? undefined : result }
}
