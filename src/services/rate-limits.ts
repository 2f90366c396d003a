import type { Config } from '../config.js'
import { networkOf } from '../domain/rate-limit.js'
import { ServiceError } from '../errors.js'
import type { CountStore } from '../store/rate-limits.js'
import { createLimiter, createMemoryCounts, type Limiter } from './limiter.js'
import { createLoginLimiter, type LoginLimiter } from './login-limiter.js'

/** What is limited, and by what. */
export interface RateLimits {
  /** Wrong passwords, by login and by address. */
  logIn: LoginLimiter
  /** Key-pairs that were not right, by API key and by address. */
  exchange: ExchangeLimiter
  /** Tokens asked about that were not good, by the API key of whoever asks. */
  introspection: Limiter
}

export interface ExchangeLimiter {
  /**
   * Counts a key-pair that is not right. Only those are counted, and only those are ever refused for
   * their number: whoever has the right secret is let in before anybody looks at a count, whatever
   * others have tried with the same key or from the same address.
   *
   * @returns What to answer: `rest_authentication_invalid_api_key_secret` or
   *   `rest_too_many_attempts`. Known and unknown keys are treated alike.
   */
  refuse(apiKey: string, address: string | null): Promise<ServiceError>
}

export interface RateLimitsDeps {
  config: Config['rateLimits']
  /** Of all who use the database. */
  shared: CountStore
  /** Whether others than this process use it: they count together, unless told otherwise. */
  isShared: boolean
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createRateLimits({ config, shared, isShared, now }: RateLimitsDeps): RateLimits {
  const isInDatabase = config.store === 'auto' ? isShared : config.store === 'database'
  function limiter(name: string, limit: Config['rateLimits']['login'], message: string): Limiter {
    // Each has a memory of its own, so that one that is flooded makes no other forget.
    const counts = isInDatabase ? shared : createMemoryCounts()
    return createLimiter({ name, limit, message, counts, now })
  }
  const passwords = 'Too many failed attempts to log in.'
  const pairs = 'Too many attempts with API key-pairs that are invalid.'
  return {
    logIn: createLoginLimiter({
      accounts: limiter('login', config.login, passwords),
      addresses: limiter('login-address', config.loginAddress, passwords),
    }),
    exchange: createExchangeLimiter(
      limiter('exchange', config.exchange, pairs),
      limiter('exchange-address', config.exchangeAddress, pairs),
    ),
    introspection: limiter(
      'introspection',
      config.introspection,
      'Too many questions about tokens that are not active.',
    ),
  }
}

/**
 * A state that was found takes some ten microseconds more to read than one that is not there. Timers go
 * off in whole milliseconds of the process's clock, so that a refusal that waits for one shows nothing of
 * that.
 */
function nextTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}

function createExchangeLimiter(apiKeys: Limiter, addresses: Limiter): ExchangeLimiter {
  return {
    async refuse(apiKey, address) {
      await nextTick()
      try {
        // The address first: a flood of made-up keys from there leaves no count of each.
        if (address !== null) await addresses.take(networkOf(address))
        await apiKeys.take(apiKey)
        return new ServiceError('rest_authentication_invalid_api_key_secret')
      } catch (error) {
        if (error instanceof ServiceError) return error
        throw error
      }
    },
  }
}
