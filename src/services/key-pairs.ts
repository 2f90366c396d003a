import { type Actor, canManage, type KeyPairPrincipal } from '../domain/actor.js'
import { doneBy } from '../domain/audit.js'
import {
  generateApiKey,
  generateApiSecret,
  hashSecret,
  type KeyPair,
  maxNameLength,
} from '../domain/key-pair.js'
import {
  type DefinedScope,
  isExpired,
  type KeyPairPolicy,
  maxOverlap,
  openPolicy,
} from '../domain/key-pair-policy.js'
import { textProblem } from '../domain/text.js'
import { invalidParameters, ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { KeyPairChanges, KeyPairFilter, KeyPairSummary } from '../store/key-pairs.js'
import { changesOf } from './audit/changes.js'
import type { AuditTrail } from './audit/trail.js'
import { usageDays } from './housekeeping.js'
import { revokePair, revokePairs } from './key-pair-revocations.js'
import { createPolicyRules, type PolicyRules } from './policy-rules.js'
import type { StepUpRule } from './step-up.js'

export type { KeyPairChanges, KeyPairSummary } from '../store/key-pairs.js'
export type { PolicyChoices } from './policy-rules.js'

export interface MintedKeyPair {
  keyPair: KeyPair
  /** Shown to the user now, and never again. */
  apiSecret: string
}

export interface MintOptions {
  /** The key to give it, where the caller derives it; else a random one. */
  apiKey?: string
  /** What is absent does not limit it, except its life where that is bounded. */
  policy?: Partial<KeyPairPolicy>
}

export interface KeyPairPage {
  rows: { keyPair: KeyPair; usage: number[] }[]
  /** What matches the filter, on all pages. */
  total: number
  summary: KeyPairSummary
}

export interface KeyPairService {
  /**
   * @throws {ServiceError} `rest_authentication_edit_user_error`, `…_required_name_error`,
   *   `…_step_up_required`, `…_second_factor_missing`, `rest_invalid_param`, …, and
   *   `rest_key_pair_already_minted` if the user has a pair with the given key.
   */
  mint(
    actor: Actor | undefined,
    userId: number,
    name: string,
    options?: MintOptions,
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
  /**
   * Changes the name, the policy or both. What is absent stays.
   *
   * @throws {ServiceError} also `rest_authentication_key_pair_not_found`, `rest_invalid_param`.
   */
  change(
    actor: Actor | undefined,
    userId: number,
    apiKey: string,
    changes: KeyPairChanges,
  ): Promise<KeyPair>
  /**
   * Gives the pair another secret and leaves all else as it is.
   *
   * @param overlap How long the secret before stays good, in seconds. With 0 it dies at once, and
   *   with it the tokens that were made with it.
   * @throws {ServiceError} also `rest_authentication_key_pair_not_found`, `…_expired_api_key`,
   *   `…_step_up_required`, `…_second_factor_missing`, and `rest_key_pair_rotation_conflict` while the overlap of the last rotation lasts.
   */
  rotate(
    actor: Actor | undefined,
    userId: number,
    apiKey: string,
    overlap: number,
  ): Promise<MintedKeyPair>
  /** What there is to choose from for a policy. */
  choices: PolicyRules['choices']
  /** @returns Whether this call revoked it; a pair that is already dead stays so. */
  revoke(actor: Actor | undefined, userId: number, apiKey: string): Promise<boolean>
  /**
   * Revokes a pair that asks for it itself: to end its own life is all that a pair can change.
   *
   * @returns Whether this call revoked it.
   */
  surrender(keyPair: KeyPairPrincipal): Promise<boolean>
  /** @returns How many pairs this call revoked. @throws {ServiceError} also `…_step_up_required`. */
  revokeAll(actor: Actor | undefined, userId: number): Promise<number>
  /** @returns `actor`. @throws {ServiceError} unless they may manage this user's key-pairs. */
  authorise(actor: Actor | undefined, userId: number): Actor
}

export interface KeyPairServiceDeps {
  stores: Stores
  audit: AuditTrail
  scopes: readonly DefinedScope[]
  /** Of the key-pairs that others than administrators make, in seconds; `undefined`: any. */
  maxLifetime: number | undefined
  stepUpRule: StepUpRule
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createKeyPairService(deps: KeyPairServiceDeps): KeyPairService {
  const { stores, audit, stepUpRule, now } = deps
  const rules = createPolicyRules(deps)

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

  /** As it is now: without a secret whose overlap is over. */
  function asOfNow(keyPair: KeyPair): KeyPair {
    const { previousSecret } = keyPair
    const isOver = previousSecret !== null && previousSecret.expiresAt <= now()
    return isOver ? { ...keyPair, previousSecret: null } : keyPair
  }

  /** @throws {ServiceError} `rest_authentication_key_pair_not_found` if there is none, alive. */
  async function findAlive(userId: number, apiKey: string): Promise<KeyPair> {
    const keyPair = await stores.keyPairs.find(userId, apiKey)
    if (!keyPair || keyPair.revokedAt !== null) {
      throw new ServiceError('rest_authentication_key_pair_not_found')
    }
    return asOfNow(keyPair)
  }

  async function change(
    maybeActor: Actor | undefined,
    userId: number,
    apiKey: string,
    changes: KeyPairChanges,
  ): Promise<KeyPair> {
    const actor = authorise(maybeActor, userId)
    const { name, ...requested } = changes
    if (name !== undefined) assertName(name)
    const keyPair = await findAlive(userId, apiKey)
    const policy = rules.forChange(actor, keyPair, requested)
    const isChanged = await stores.transaction(async (tx) => {
      const update = { ...policy, ...(name !== undefined && { name }) }
      if (!(await tx.keyPairs.update(userId, apiKey, update))) return false
      const about = { ...doneBy(actor), userId, apiKey }
      if (name !== undefined && name !== keyPair.name) {
        const details = { name, from: keyPair.name }
        await audit.write(tx, { ...about, action: 'key_pair.renamed', details })
      }
      const details = changesOf(keyPair, policy)
      if (details) await audit.write(tx, { ...about, action: 'key_pair.changed', details })
      return true
    })
    if (!isChanged) throw new ServiceError('rest_authentication_key_pair_not_found')
    return findAlive(userId, apiKey)
  }

  return {
    authorise,
    choices: rules.choices,
    change,

    async mint(maybeActor, userId, name, { apiKey: givenKey, policy: requested = {} } = {}) {
      const actor = authorise(maybeActor, userId)
      assertName(name)
      const policy = rules.forMint(actor, requested)
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
        const refusal = await stepUpRule.refusalToMint(tx, actor, userId)
        if (refusal) return { refusal }
        if (givenKey !== undefined && (await tx.keyPairs.find(userId, givenKey))) return 'minted'
        const minted = { userId, name, apiKey, secret, createdAt: now(), policy }
        const keyPair = await tx.keyPairs.insert(minted)
        const details = { name, ...changesOf(openPolicy, policy) }
        const event = { ...doneBy(actor), action: 'key_pair.minted', userId, apiKey } as const
        await audit.write(tx, { ...event, details })
        return { keyPair }
      })
      if (outcome === 'no_user') throw new ServiceError('rest_authentication_invalid_user_error')
      if (outcome === 'minted') throw new ServiceError('rest_key_pair_already_minted')
      if ('refusal' in outcome) throw new ServiceError(outcome.refusal)
      return { keyPair: outcome.keyPair, apiSecret }
    },

    async list(actor, userId, options) {
      authorise(actor, userId)
      await assertExists(userId)
      return (await stores.keyPairs.listByUser(userId, options)).map(asOfNow)
    },

    async page(actor, userId, filter) {
      authorise(actor, userId)
      const { keyPairs, total } = await stores.keyPairs.page(userId, filter)
      const usage = await readUsage(keyPairs.map((keyPair) => keyPair.id))
      return {
        rows: keyPairs
          .map(asOfNow)
          .map((keyPair) => ({ keyPair, usage: usage.get(keyPair.id) ?? [] })),
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
      return asOfNow(keyPair)
    },

    rename: (actor, userId, apiKey, name) => change(actor, userId, apiKey, { name }),

    async rotate(maybeActor, userId, apiKey, overlap) {
      const actor = authorise(maybeActor, userId)
      if (!Number.isSafeInteger(overlap) || overlap < 0 || overlap > maxOverlap) {
        throw invalidParameters({ overlap: `must be from 0 to ${maxOverlap} seconds` })
      }
      const keyPair = await findAlive(userId, apiKey)
      // Another secret is as good as another key-pair.
      const refusal = await stepUpRule.refusalToMint(stores, actor, userId)
      if (refusal) throw new ServiceError(refusal)
      const at = now()
      if (isExpired(keyPair, at)) throw new ServiceError('rest_authentication_expired_api_key')
      // A third secret would end the first one's overlap early, unless that is what is wanted.
      if (overlap > 0 && keyPair.previousSecret) {
        throw new ServiceError('rest_key_pair_rotation_conflict')
      }
      const apiSecret = generateApiSecret()
      const overlapEndsAt =
        overlap === 0 ? null : Math.min(at + overlap, keyPair.expiresAt ?? Infinity)
      const fromVersion = keyPair.secretVersion
      const rotation = { fromVersion, secret: hashSecret(apiSecret), at, overlapEndsAt }
      const hasRotated = await stores.transaction(async (tx) => {
        if (!(await tx.keyPairs.rotate(userId, apiKey, rotation))) return false
        const event = { ...doneBy(actor), action: 'key_pair.rotated', userId, apiKey } as const
        await audit.write(tx, { ...event, details: { version: fromVersion + 1, overlap } })
        return true
      })
      const rotated = await findAlive(userId, apiKey)
      if (!hasRotated) throw new ServiceError('rest_key_pair_rotation_conflict')
      return { keyPair: rotated, apiSecret }
    },

    async revoke(maybeActor, userId, apiKey) {
      const actor = authorise(maybeActor, userId)
      const at = now()
      return stores.transaction((tx) => revokePair({ tx, audit, at }, actor, userId, apiKey))
    },

    async surrender(keyPair) {
      const { user, apiKey } = keyPair
      const at = now()
      return stores.transaction((tx) => revokePair({ tx, audit, at }, keyPair, user.id, apiKey))
    },

    async revokeAll(maybeActor, userId) {
      const actor = authorise(maybeActor, userId)
      await assertExists(userId)
      const refusal = await stepUpRule.refusal(stores, actor)
      if (refusal) throw new ServiceError(refusal)
      const at = now()
      return stores.transaction((tx) =>
        revokePairs({ tx, audit, at }, actor, userId, 'revoked_all'),
      )
    },
  }
}

/** A name is kept as typed; it only has to be there, to be text and to fit. */
function assertName(name: string): void {
  if (name.trim() === '') throw new ServiceError('rest_authentication_required_name_error')
  const problem = textProblem(name, maxNameLength)
  if (problem) throw invalidParameters({ name: problem })
}
