import { type Actor, actorUserId, type KeyPairPrincipal } from '../domain/actor.js'
import { actorOf, doneBy } from '../domain/audit.js'
import type { Origin } from '../domain/origin.js'
import { maxRegisteredTokens, type RegisteredToken } from '../domain/registered-token.js'
import { ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { KeyState } from '../store/key-states.js'
import type { AuditTrail } from './audit/trail.js'
import type { KeyPairService } from './key-pairs.js'

export interface RegisteredTokenService {
  /**
   * That there is room for one more: before anything is done that a refusal should not leave behind.
   *
   * @throws {ServiceError} `rest_authentication_too_many_tokens`
   */
  assertRoom(keyPairId: number): Promise<void>
  /**
   * Puts a token on the list. Until then its check refuses it.
   *
   * @throws {ServiceError} `rest_authentication_too_many_tokens` or, of a pair that is gone,
   *   `…_revoked_api_key`.
   */
  register(
    state: KeyState,
    token: Pick<RegisteredToken, 'tokenId' | 'device' | 'description' | 'issuedAt' | 'expiresAt'>,
    origin: Origin,
  ): Promise<void>
  /**
   * Those that have not expired, revoked ones too; newest first.
   *
   * @throws {ServiceError} as a key-pair's own listing, and `…_key_pair_not_found`.
   */
  list(actor: Actor | undefined, userId: number, apiKey: string): Promise<RegisteredToken[]>
  /** Those of a user's pairs, by the pair's id. @throws {ServiceError} */
  listAll(
    actor: Actor,
    userId: number,
    keyPairIds: readonly number[],
  ): Promise<Map<number, RegisteredToken[]>>
  /**
   * Revokes one token and nothing else: it is refused from the next request on.
   *
   * @returns Whether this call did it; `false` if it had been revoked before.
   * @throws {ServiceError} also `rest_token_not_found`.
   */
  revoke(
    actor: Actor | undefined,
    userId: number,
    apiKey: string,
    tokenId: string,
  ): Promise<boolean>
  /** Revokes one on its own client's request. */
  surrender(client: KeyPairPrincipal, tokenId: string): Promise<void>
}

export interface RegisteredTokenServiceDeps {
  stores: Pick<Stores, 'registeredTokens' | 'keyPairs' | 'transaction'>
  audit: AuditTrail
  keyPairs: Pick<KeyPairService, 'authorise'>
  /** Seconds since the Unix epoch. */
  now: () => number
}

/** Access tokens that are on a list, so that each can be revoked alone. All others stay stateless. */
export function createRegisteredTokenService(
  deps: RegisteredTokenServiceDeps,
): RegisteredTokenService {
  const { stores, audit, keyPairs, now } = deps

  async function findKeyPair(userId: number, apiKey: string) {
    const keyPair = await stores.keyPairs.find(userId, apiKey)
    if (!keyPair || keyPair.revokedAt !== null) {
      throw new ServiceError('rest_authentication_key_pair_not_found')
    }
    return keyPair
  }

  async function revoke(
    keyPairId: number,
    tokenId: string,
    by: number | null,
    about: ReturnType<typeof doneBy> & { userId: number; apiKey: string; reason: string },
  ): Promise<boolean> {
    return stores.transaction(async (tx) => {
      if (!(await tx.registeredTokens.revoke(keyPairId, tokenId, now(), by))) return false
      await audit.write(tx, { ...about, action: 'token.revoked', details: { jti: tokenId } })
      return true
    })
  }

  return {
    async assertRoom(keyPairId) {
      const alive = await stores.registeredTokens.countAlive(keyPairId, now())
      if (alive >= maxRegisteredTokens) {
        throw new ServiceError('rest_authentication_too_many_tokens')
      }
    },

    async register({ keyPairId, user, apiKey }, token, origin) {
      const outcome = await stores.transaction(async (tx) => {
        const inserted = await tx.registeredTokens.insert({ ...token, keyPairId })
        if (inserted !== 'inserted') return inserted
        const { tokenId: jti, description, device, expiresAt } = token
        await audit.write(tx, {
          action: 'token.registered',
          actor: actorOf(user, 'key_pair'),
          userId: user.id,
          apiKey,
          origin,
          details: {
            jti,
            expires_at: expiresAt,
            ...(description !== '' && { description }),
            ...(device !== null && { device }),
          },
        })
        return inserted
      })
      if (outcome === 'full') throw new ServiceError('rest_authentication_too_many_tokens')
      if (outcome === 'gone') throw new ServiceError('rest_authentication_revoked_api_key')
    },

    async list(actor, userId, apiKey) {
      keyPairs.authorise(actor, userId)
      const { id } = await findKeyPair(userId, apiKey)
      return stores.registeredTokens.listByKeyPairs([id], now())
    },

    async listAll(actor, userId, keyPairIds) {
      keyPairs.authorise(actor, userId)
      const found = new Map<number, RegisteredToken[]>()
      for (const token of await stores.registeredTokens.listByKeyPairs(keyPairIds, now())) {
        const { keyPairId } = token
        found.set(keyPairId, [...(found.get(keyPairId) ?? []), token])
      }
      return found
    },

    async revoke(maybeActor, userId, apiKey, tokenId) {
      const actor = keyPairs.authorise(maybeActor, userId)
      const { id } = await findKeyPair(userId, apiKey)
      const about = { ...doneBy(actor), userId, apiKey, reason: 'revoked' }
      if (await revoke(id, tokenId, actorUserId(actor), about)) return true
      const tokens = await stores.registeredTokens.listByKeyPairs([id], now())
      if (tokens.some((token) => token.tokenId === tokenId)) return false
      throw new ServiceError('rest_token_not_found')
    },

    async surrender(client, tokenId) {
      const { user, apiKey } = client
      const keyPair = await stores.keyPairs.find(user.id, apiKey)
      if (!keyPair) return
      const about = { ...doneBy(client), userId: user.id, apiKey, reason: 'surrendered' }
      await revoke(keyPair.id, tokenId, user.id, about)
    },
  }
}
