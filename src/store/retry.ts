import { setTimeout as delay } from 'node:timers/promises'

const attempts = 5

/**
 * Runs `work` again when the database chose it as the victim of a deadlock: it has then done
 * nothing, and the others have gone on.
 *
 * @param db What a single statement runs on. In a transaction it is not run again: the deadlock has
 *   undone all that came before it, so the whole must be.
 */
export async function retryDeadlocks<T>(
  work: () => Promise<T>,
  db?: { isTransaction?: boolean },
): Promise<T> {
  if (db?.isTransaction) return work()
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === attempts || !isDeadlock(error)) throw error
      await delay(attempt * 10 * Math.random())
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ER_LOCK_DEADLOCK'
}
