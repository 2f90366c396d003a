import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Knex } from 'knex'
import { retryDeadlocks } from './retry.js'
import { isUnavailable } from './unavailable.js'

/** Held by the one process that changes the schema of a cluster. */
export interface MigrationLease {
  /** @throws {LostLeaseError} if another process has taken it, because this one gave no sign of life. */
  renew(): Promise<void>
  release(): Promise<void>
}

/** Another process goes on with what this one was doing. */
export class LostLeaseError extends Error {
  override readonly name = 'LostLeaseError'
}

export interface MigrationLeaseOptions {
  /** How often the holder gives a sign of life, and how often the others look for one. */
  beatMs?: number
  /** Looks without a sign of life after which the holder is taken for dead. */
  patience?: number
  /** Longest wait, in milliseconds. */
  waitMs: number
}

interface LeaseRow {
  id: number
  holder: string
  beat: number
}

const table = 'migration_lease'
const onlyRow = { id: 1 }

/**
 * Takes the lease of a Galera cluster, where a named lock would hold on one of the servers only.
 *
 * It is a row, changed by UPDATEs that name what they replace. Two that run on two servers at once change
 * the same row, so certification lets one commit; the other is a deadlock, begins again and finds nothing
 * to replace. Whether the holder lives is seen by its counter, by each waiter with its own watch: no two
 * clocks are ever compared.
 *
 * @returns `undefined` if it could not be had in time.
 */
export async function takeMigrationLease(
  db: Knex,
  { beatMs = 1000, patience = 15, waitMs }: MigrationLeaseOptions,
): Promise<MigrationLease | undefined> {
  const own = randomBytes(12).toString('base64url')
  const deadline = performance.now() + waitMs
  let seen: LeaseRow | undefined
  let unchanged = 0
  while (performance.now() < deadline) {
    const began = performance.now()
    const row = await readLease(db)
    // A look that took long waited behind a change of the schema, as the holder's sign of life did.
    const isTimely = performance.now() - began < beatMs
    const isUnchanged = row && seen?.holder === row.holder && seen.beat === row.beat
    unchanged = isUnchanged && isTimely ? unchanged + 1 : 0
    seen = row
    const isFree = row && (row.holder === '' || unchanged >= patience)
    if (isFree && (await replace(db, row, own))) return holdLease(db, own, beatMs)
    await delay(beatMs)
  }
  return undefined
}

/** For all processes at once: a statement about the schema runs at the same place on every server. */
async function createLease(db: Knex): Promise<void> {
  await db.raw(
    `create table if not exists ${table} (id int unsigned primary key, holder varchar(16) character set ascii collate ascii_bin not null, beat bigint not null) engine=InnoDB`,
  )
  const insert = () => db<LeaseRow>(table).insert({ ...onlyRow, holder: '', beat: 0 })
  await retryDeadlocks(async () => insert().onConflict('id').ignore())
}

/** @returns `undefined` while the cluster cannot say. */
async function readLease(db: Knex): Promise<LeaseRow | undefined> {
  try {
    return await db<LeaseRow>(table).where(onlyRow).first()
  } catch (error) {
    if (isUnavailable(error)) return undefined
    if ((error as { code?: string }).code !== 'ER_NO_SUCH_TABLE') throw error
    await createLease(db)
    return undefined
  }
}

/** @returns Whether the row was still as it was, and is now `holder`'s. */
async function replace(db: Knex, { holder, beat }: LeaseRow, next: string): Promise<boolean> {
  const rows = () => db<LeaseRow>(table).where({ ...onlyRow, holder, beat })
  return retryDeadlocks(async () => {
    return (await rows().update({ holder: next, beat: beat + 1 })) === 1
  })
}

function holdLease(db: Knex, own: string, beatMs: number): MigrationLease {
  const rows = () => db<LeaseRow>(table).where({ ...onlyRow, holder: own })
  async function renew(): Promise<void> {
    if ((await retryDeadlocks(async () => rows().increment('beat', 1))) !== 1) {
      throw new LostLeaseError('Another process has taken over the migration of this database.')
    }
  }
  let timer: NodeJS.Timeout | undefined
  let isReleased = false
  async function beat(): Promise<void> {
    // Behind a long change of the schema it fails, as the looks of the others do. Whether the lease is
    // still ours is asked before each migration, where the answer matters.
    await renew().catch(() => undefined)
    schedule()
  }
  function schedule(): void {
    if (isReleased) return
    timer = setTimeout(() => void beat(), beatMs)
    timer.unref()
  }
  schedule()
  return {
    renew,
    async release() {
      isReleased = true
      clearTimeout(timer)
      await retryDeadlocks(async () => rows().update({ holder: '' }))
    },
  }
}
