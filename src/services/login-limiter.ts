import { networkOf } from '../domain/rate-limit.js'
import { type ErrorCode, ServiceError } from '../errors.js'
import type { Limiter } from './limiter.js'

export interface LoginLimiter {
  /**
   * Runs `attempt` unless too many before it were wrong. Wrong is what throws `incorrect_password`,
   * `rest_user_incorrect_password` or `rest_authentication_invalid_second_factor`; a right password never counts, but is refused too while its login
   * is locked: otherwise the refusals would tell which guess was right.
   *
   * @param account Names the account for all spellings of its login.
   * @throws {ServiceError} `rest_too_many_attempts`, with the seconds to wait.
   */
  guard<T>(account: string, address: string | null, attempt: () => Promise<T>): Promise<T>
}

export interface LoginLimiterDeps {
  /** Wrong passwords for one account, from anywhere. */
  accounts: Limiter
  /** Wrong passwords from one address, for any account. */
  addresses: Limiter
}

export function createLoginLimiter({ accounts, addresses }: LoginLimiterDeps): LoginLimiter {
  const turns = new Map<string, Promise<unknown>>()

  async function attemptOnce<T>(
    account: string,
    address: string | null,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const network = address === null ? undefined : networkOf(address)
    if (network !== undefined) await addresses.assertLeft(network)
    // Before the attempt, and given back if it was not wrong: a burst of guesses at several nodes gets
    // no more tries than the limit. The attempts at this node wait for each other, so that it is
    // nobody's own attempts that use up the quota.
    await accounts.take(account)
    try {
      const result = await attempt()
      await accounts.giveBack(account)
      return result
    } catch (error) {
      if (!isWrong(error)) await accounts.giveBack(account)
      else if (network !== undefined) await addresses.take(network)
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

const wrong: ReadonlySet<ErrorCode> = new Set([
  'incorrect_password',
  'rest_user_incorrect_password',
  'rest_authentication_invalid_second_factor',
])

function isWrong(error: unknown): boolean {
  return error instanceof ServiceError && wrong.has(error.code)
}
