import { createHash } from 'node:crypto'
// The index loads a store for each database there is.
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js'
import RateLimiterStore from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js'
import type { RateLimit } from '../domain/rate-limit.js'
import { type RateLimitState, ServiceError } from '../errors.js'
import type { Count, CountStore } from '../store/rate-limits.js'
import { createLru } from './lru.js'

/** Holds something to a {@link RateLimit}, for each key apart. */
export interface Limiter {
  /** Uses one of the key's quota. @throws {ServiceError} `rest_too_many_attempts` if none is left. */
  take(key: string): Promise<void>
  /** Undoes a `take`: what was feared did not happen. */
  giveBack(key: string): Promise<void>
  /** Uses nothing. @throws {ServiceError} as `take`. */
  assertLeft(key: string): Promise<void>
}

export interface LimiterDeps {
  /** Of the policy, in headers and in the keys of counts. */
  name: string
  /** `undefined`: there is none, and nothing is counted. */
  limit: RateLimit | undefined
  counts: CountStore
  /** What somebody is told who has used the quota up. */
  message: string
  /** Seconds since the Unix epoch. */
  now: () => number
}

const unlimited: Limiter = {
  take: async () => {},
  giveBack: async () => {},
  assertLeft: async () => {},
}

export function createLimiter(deps: LimiterDeps): Limiter {
  const { name, limit, message } = deps
  if (!limit) return unlimited
  const { quota, window } = limit
  const limiter = new CountingLimiter(deps, limit)

  function refusal(waitMs: number): ServiceError {
    const reset = Math.max(1, Math.ceil(waitMs / 1000))
    const rateLimit: RateLimitState = { name, quota, window, remaining: 0, reset }
    const wait = `Try again in ${inWords(reset)}.`
    return new ServiceError('rest_too_many_attempts', {
      message: `${message} ${wait}`,
      retryAfter: reset,
      rateLimit,
    })
  }

  async function take(key: string): Promise<void> {
    try {
      await limiter.consume(key)
    } catch (thrown) {
      // Anything else is the database's trouble, and answered as such: nobody gets past it.
      throw thrown instanceof RateLimiterRes ? refusal(thrown.msBeforeNext) : thrown
    }
  }

  return {
    take,
    async giveBack(key) {
      await limiter.reward(key)
    },
    async assertLeft(key) {
      const wait = limiter.msBlocked(key)
      if (wait > 0) throw refusal(wait)
      const state = await limiter.get(key)
      // Taking one more is refused, and remembered: the next who asks costs no query.
      if (state && state.consumedPoints >= quota) await take(key)
    },
  }
}

function inWords(seconds: number): string {
  const [count, unit] = seconds < 60 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/**
 * rate-limiter-flexible's limiter on counts of ours. A key whose quota is used up is remembered in
 * this process until it may go on, so that a flood of it costs no look at the counts.
 */
class CountingLimiter extends RateLimiterStore {
  readonly #counts: CountStore
  readonly #now: () => number

  constructor({ name, counts, now }: LimiterDeps, { quota, window }: RateLimit) {
    super({
      storeClient: counts,
      keyPrefix: name,
      points: quota,
      duration: window,
      // Not with the last that is allowed: that one may be given back.
      inMemoryBlockOnConsumed: quota + 1,
    })
    this.#counts = counts
    this.#now = now
  }

  /** Made of a digest: what somebody typed as a login may be a password. */
  override getKey(key: string): string {
    return createHash('sha256').update(`${this.keyPrefix}:${key}`).digest('base64url')
  }

  msBlocked(key: string): number {
    return this.getInMemoryBlockMsBeforeExpire(this.getKey(key))
  }

  // What the library asks of its stores; its types leave it out.

  async _upsert(storedKey: string, points: number): Promise<Count> {
    const now = this.#now()
    if (points > 0) return this.#counts.add(storedKey, this.duration, now)
    return (await this.#counts.takeBack(storedKey, now)) ?? { consumed: 0, expiresAt: now }
  }

  async _get(storedKey: string): Promise<Count | undefined> {
    return this.#counts.find(storedKey, this.#now())
  }

  _getRateLimiterRes(_storedKey: string, _changed: number, { consumed, expiresAt }: Count) {
    const wait = Math.max(0, expiresAt - this.#now()) * 1000
    return new RateLimiterRes(Math.max(0, this.points - consumed), wait, consumed, consumed === 1)
  }
}

/** A few megabytes. Whoever fills it has been refused at hundreds of addresses before. */
const mostRemembered = 100_000

/** Counts in this process's memory, which forgets the oldest where there are too many. */
export function createMemoryCounts(): CountStore {
  const counts = createLru<string, Count>(mostRemembered)
  const find = (id: string, now: number) => {
    const count = counts.get(id)
    return count && count.expiresAt > now ? count : undefined
  }
  return {
    find: async (id, now) => find(id, now),
    async add(id, window, now) {
      const running = find(id, now) ?? { consumed: 0, expiresAt: now + window }
      const count = { ...running, consumed: running.consumed + 1 }
      counts.set(id, count)
      return count
    },
    async takeBack(id, now) {
      const running = find(id, now)
      if (!running) return undefined
      const count = { ...running, consumed: Math.max(0, running.consumed - 1) }
      counts.set(id, count)
      return count
    },
  }
}
