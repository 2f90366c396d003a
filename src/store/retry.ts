import { setTimeout as delay } from 'node:timers/promises'

const attempts = 5

/**
 * Runs `work` again when the database chose it as the victim of a deadlock: it has then done
 * nothing, and the others have gone on.
 */
export async function retryDeadlocks<T>(work: () => Promise<T>): Promise<T> {
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
