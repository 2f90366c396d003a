import { RateLimiterMemory } from 'rate-limiter-flexible'
import { ServiceError } from '../errors.js'

export interface LoginLimiter {
  /**
   * Runs `attempt` unless too many before it were wrong. Wrong is what throws `incorrect_password`;
   * a right password never counts, but is refused too while its login is locked: otherwise the
   * refusals would tell which guess was right.
   *
   * @param account Names the account for all spellings of its login.
   * @throws {ServiceError} `rest_too_many_attempts`, with the seconds to wait.
   */
  guard<T>(account: string, address: string | null, attempt: () => Promise<T>): Promise<T>
}

export interface LoginLimits {
  /** Wrong passwords for one account, from anywhere. */
  perAccount: number
  /** Wrong passwords from one address, for any account. */
  perAddress: number
  /** Seconds, counted from the first wrong one. */
  window: number
}

const defaults: LoginLimits = { perAccount: 10, perAddress: 30, window: 15 * 60 }

/** Counts in this process's memory, so what one node has seen is not known to another. */
export function createLoginLimiter(limits: LoginLimits = defaults): LoginLimiter {
  const { perAccount, perAddress, window } = limits
  const accounts = new RateLimiterMemory({ points: perAccount, duration: window })
  const addresses = new RateLimiterMemory({ points: perAddress, duration: window })
  const turns = new Map<string, Promise<unknown>>()

  async function assertOpen(limiter: RateLimiterMemory, key: string): Promise<void> {
    const state = await limiter.get(key)
    if (!state || state.consumedPoints < limiter.points) return
    const retryAfter = Math.max(1, Math.ceil(state.msBeforeNext / 1000))
    const minutes = Math.ceil(retryAfter / 60)
    throw new ServiceError('rest_too_many_attempts', {
      message: `Too many failed attempts to log in. Try again in ${minutes} minute${minutes === 1 ? '' : 's'}.`,
      retryAfter,
    })
  }

  async function attemptOnce<T>(
    account: string,
    address: string | null,
    attempt: () => Promise<T>,
  ): Promise<T> {
    await assertOpen(accounts, account)
    if (address !== null) await assertOpen(addresses, address)
    try {
      return await attempt()
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'incorrect_password') {
        await accounts.penalty(account)
        if (address !== null) await addresses.penalty(address)
      }
      throw error
    }
  }

  return {
    // One after another for each account: a thousand guesses sent at once are then a thousand
    // attempts, of which the limit lets ten through, and not one burst that passes as a whole.
    async guard(account, address, attempt) {
      const before = turns.get(account) ?? Promise.resolve()
      const turn = before.then(() => attemptOnce(account, address, attempt))
      const settled = turn.then(
        () => undefined,
        () => undefined,
      )
      turns.set(account, settled)
      try {
        return await turn
      } finally {
        if (turns.get(account) === settled) turns.delete(account)
      }
    },
  }
}
