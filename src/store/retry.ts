import { setTimeout as delay } from 'node:timers/promises'
import { CommitOutcomeError } from './mysql-client.js'
import { isUnavailable } from './unavailable.js'

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

const pauseMs = 50

/**
 * Runs `work` again for a while where the database could not serve it: of several servers another one
 * takes over, or a cluster has formed a group anew. Only for what has then done nothing, or may be done
 * twice: a read, or a transaction that was never sent a COMMIT.
 *
 * @param waitMs Longest time after which it is tried again; 0: never.
 */
export async function retryElsewhere<T>(work: () => Promise<T>, waitMs: number): Promise<T> {
  if (waitMs === 0) return work()
  const deadline = performance.now() + waitMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const isHopeless = error instanceof CommitOutcomeError || !isUnavailable(error)
      if (isHopeless || performance.now() + pauseMs >= deadline) throw error
      await delay(pauseMs)
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ER_LOCK_DEADLOCK'
}
