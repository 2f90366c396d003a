import { type Actor, actorUserId, canManage } from '../domain/actor.js'
import {
  generateApiKey,
  generateApiSecret,
  hashSecret,
  type KeyPair,
  maxNameLength,
} from '../domain/key-pair.js'
import { textProblem } from '../domain/text.js'
import { invalidParameters, ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { KeyPairFilter, KeyPairSummary } from '../store/key-pairs.js'
import { usageDays } from './housekeeping.js'

export type { KeyPairSummary } from '../store/key-pairs.js'

export interface MintedKeyPair {
  keyPair: KeyPair
  /** Shown to the user now, and never again. */
  apiSecret: string
}

export interface KeyPairPage {
  rows: { keyPair: KeyPair; usage: number[] }[]
  /** What matches the filter, on all pages. */
  total: number
  summary: KeyPairSummary
}

export interface KeyPairService {
  /**
   * @param apiKey The key to give it, where the caller derives it; else a random one.
   * @throws {ServiceError} `rest_authentication_edit_user_error`, `…_required_name_error`, …, and
   *   `rest_key_pair_already_minted` if the user has a pair with this key.
   */
  mint(
    actor: Actor | undefined,
    userId: number,
    name: string,
    apiKey?: string,
  ): Promise<MintedKeyPair>
  /** Newest first. */
  list(
    actor: Actor | undefined,
    userId: number,
    options?: { includeRevoked?: boolean },
  ): Promise<KeyPair[]>
  /** One page of a user's key-pairs with their use, and what there is in all. */
  page(actor: Actor, userId: number, filter: KeyPairFilter): Promise<KeyPairPage>
  /** What revoking all would stop. */
  summarise(actor: Actor, userId: number): Promise<KeyPairSummary>
  /** @throws {ServiceError} also `rest_authentication_key_pair_not_found`. */
  find(actor: Actor, userId: number, apiKey: string): Promise<KeyPair>
  /** @throws {ServiceError} also `rest_authentication_key_pair_not_found`. */
  rename(actor: Actor | undefined, userId: number, apiKey: string, name: string): Promise<KeyPair>
  /** @returns Whether this call revoked it; a pair that is already dead stays so. */
  revoke(actor: Actor | undefined, userId: number, apiKey: string): Promise<boolean>
  /** @returns How many pairs this call revoked. */
  revokeAll(actor: Actor | undefined, userId: number): Promise<number>
  /** @returns `actor`. @throws {ServiceError} unless they may manage this user's key-pairs. */
  authorise(actor: Actor | undefined, userId: number): Actor
}

export interface KeyPairServiceDeps {
  stores: Stores
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createKeyPairService({ stores, now }: KeyPairServiceDeps): KeyPairService {
  function authorise(actor: Actor | undefined, userId: number): Actor {
    if (actor && canManage(actor, userId)) return actor
    throw new ServiceError('rest_authentication_edit_user_error')
  }

  /** Whoever may manage users may know which exist. */
  async function assertExists(userId: number): Promise<void> {
    if (!(await stores.users.findById(userId))) {
      throw new ServiceError('rest_authentication_invalid_user_error')
    }
  }

  /** @returns Exchanges a day for each pair, oldest first, today last. */
  async function readUsage(ids: readonly number[]): Promise<Map<number, number[]>> {
    const firstDay = Math.floor(now() / 86_400) - usageDays + 1
    const series = new Map(ids.map((id) => [id, new Array<number>(usageDays).fill(0)]))
    for (const { keyPairId, day, exchanges } of await stores.keyPairUsage.list(ids, firstDay)) {
      const days = series.get(keyPairId)
      if (days && day - firstDay < usageDays) days[day - firstDay] = exchanges
    }
    return series
  }

  return {
    authorise,

    async mint(maybeActor, userId, name, givenKey) {
      const actor = authorise(maybeActor, userId)
      assertName(name)
      const apiKey = givenKey ?? generateApiKey(userId)
      const apiSecret = generateApiSecret()
      const secret = hashSecret(apiSecret)
      const outcome = await stores.transaction(async (tx) => {
        // With the user locked, a change of password that is under way has either revoked everything
        // already, and ended this session, or will find the new pair and revoke it too. Mints keep one
        // another out only where two may come with the same key.
        const { lock, lockShared } = tx.users
        const owner = await (givenKey === undefined ? lockShared(userId) : lock(userId))
        if (!owner) return 'no_user'
        if (actor.kind === 'session' && !(await tx.sessions.find(actor.sessionId)))
          return 'no_session'
        if (givenKey !== undefined && (await tx.keyPairs.find(userId, givenKey))) return 'minted'
        return tx.keyPairs.insert({ userId, name, apiKey, secret, createdAt: now() })
      })
      if (outcome === 'no_user') throw new ServiceError('rest_authentication_invalid_user_error')
      if (outcome === 'no_session') throw new ServiceError('rest_not_logged_in')
      if (outcome === 'minted') throw new ServiceError('rest_key_pair_already_minted')
      return { keyPair: outcome, apiSecret }
    },

    async list(actor, userId, options) {
      authorise(actor, userId)
      await assertExists(userId)
      return stores.keyPairs.listByUser(userId, options)
    },

    async page(actor, userId, filter) {
      authorise(actor, userId)
      const { keyPairs, total } = await stores.keyPairs.page(userId, filter)
      const usage = await readUsage(keyPairs.map((keyPair) => keyPair.id))
      return {
        rows: keyPairs.map((keyPair) => ({ keyPair, usage: usage.get(keyPair.id) ?? [] })),
        total,
        summary: await stores.keyPairs.summarise(userId),
      }
    },

    async summarise(actor, userId) {
      authorise(actor, userId)
      return stores.keyPairs.summarise(userId)
    },

    async find(actor, userId, apiKey) {
      authorise(actor, userId)
      const keyPair = await stores.keyPairs.find(userId, apiKey)
      if (!keyPair) throw new ServiceError('rest_authentication_key_pair_not_found')
      return keyPair
    },

    async rename(actor, userId, apiKey, name) {
      authorise(actor, userId)
      assertName(name)
      if (!(await stores.keyPairs.rename(userId, apiKey, name))) {
        throw new ServiceError('rest_authentication_key_pair_not_found')
      }
      const keyPair = await stores.keyPairs.find(userId, apiKey)
      if (!keyPair) throw new ServiceError('rest_authentication_key_pair_not_found')
      return keyPair
    },

    async revoke(maybeActor, userId, apiKey) {
      const actor = authorise(maybeActor, userId)
      return stores.keyPairs.revoke(userId, apiKey, {
        at: now(),
        by: actorUserId(actor),
        reason: 'revoked',
      })
    },

    async revokeAll(maybeActor, userId) {
      const actor = authorise(maybeActor, userId)
      await assertExists(userId)
      return stores.keyPairs.revokeAll(userId, {
        at: now(),
        by: actorUserId(actor),
        reason: 'revoked_all',
      })
    },
  }
}

/** A name is kept as typed; it only has to be there, to be text and to fit. */
function assertName(name: string): void {
  if (name.trim() === '') throw new ServiceError('rest_authentication_required_name_error')
  const problem = textProblem(name, maxNameLength)
  if (problem) throw invalidParameters({ name: problem })
}
