import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { operator } from '../domain/actor.js'
import { doneBy } from '../domain/audit.js'
import { encrypt } from '../domain/key-encryption.js'
import {
  type KeyAlgorithm,
  publicationDelay,
  type SigningAlgorithm,
  type SigningKey,
} from '../domain/signing-key.js'
import type { Stores } from '../store/index.js'
import type { AuditTrail } from './audit/trail.js'
import type { NewSigningKey, StoredSigningKey } from '../store/signing-keys.js'

/** What keeps an operator's wish about signing keys from being done. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
}

/** The key that encrypts private keys in the database. */
export interface EncryptionKey {
  /** `undefined` if there is none yet. */
  existing(): Uint8Array | undefined
  /** Makes one if there is none yet. */
  orNew(): Uint8Array
}

/** What signs from now on: a key, or `undefined` for the secret. */
export interface Rotation {
  current: SigningKey | undefined
  previous: SigningKey | undefined
}

export interface SigningKeyService {
  /** Oldest first, retired ones too. */
  list(): Promise<SigningKey[]>
  /** Makes a key that is published, and signs nothing yet. */
  generate(algorithm: KeyAlgorithm): Promise<SigningKey>
  /**
   * Lets the next key sign, or a new one if there is none with this algorithm. Tokens of the one
   * before stay good.
   *
   * @param algorithm Absent: that of the next key, or else of the current one, or else ES256.
   * @throws {SigningKeyError} if the secret is asked for and signs already.
   */
  rotate(algorithm?: SigningAlgorithm): Promise<Rotation>
  /**
   * Refuses a key's tokens, on all nodes within the time between two looks for changes.
   *
   * @throws {SigningKeyError} if there is no such key, it is the current one, or was retired before.
   */
  retire(kid: string): Promise<SigningKey>
}

export interface SigningKeyServiceDeps {
  stores: Stores
  audit: AuditTrail
  encryptionKey: EncryptionKey
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createSigningKeyService(deps: SigningKeyServiceDeps): SigningKeyService {
  const { stores, audit, encryptionKey, now } = deps

  async function create(algorithm: KeyAlgorithm): Promise<NewSigningKey> {
    const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048 })
    const publicJwk = await exportJWK(pair.publicKey)
    const kid = await calculateJwkThumbprint(publicJwk)
    // One in 64; on a command line it would be an option.
    if (kid.startsWith('-')) return create(algorithm)
    const privateJwk = JSON.stringify(await exportJWK(pair.privateKey))
    return {
      kid,
      algorithm,
      publicJwk: JSON.stringify({ ...publicJwk, kid, alg: algorithm, use: 'sig' }),
      privateKey: encrypt(encryptionKey.orNew(), kid, privateJwk),
      createdAt: now(),
    }
  }

  async function find(kid: string, { signingKeys }: Pick<Stores, 'signingKeys'> = stores) {
    const key = await signingKeys.find(kid)
    if (!key) throw new SigningKeyError(`There is no signing key ${kid}.`)
    return key
  }

  return {
    async list() {
      return (await stores.signingKeys.list({ includeRetired: true })).map(withoutKeys)
    },

    async generate(algorithm) {
      const key = await create(algorithm)
      await stores.transaction(async (tx) => {
        await tx.signingKeys.insert(key)
        const details = { kid: key.kid, algorithm }
        await audit.write(tx, { ...doneBy(operator), action: 'signing_key.generated', details })
      })
      return withoutKeys(await find(key.kid))
    },

    async rotate(wanted) {
      // Made beforehand, as an RSA key takes its time; most of the time there is a next one already.
      const algorithm = wanted ?? algorithmOf(await stores.signingKeys.list())
      const isAtHand = nextOf(await stores.signingKeys.list(), algorithm) !== undefined
      const made = algorithm === 'HS256' || isAtHand ? undefined : await create(algorithm)
      return stores.transaction(async (tx) => {
        const { signingKeys } = tx
        const keys = await signingKeys.lock()
        const before = keys.find((key) => key.state === 'current')
        if (algorithm === 'HS256' && !before) {
          throw new SigningKeyError('Tokens are signed with the secret (HS256) already.')
        }
        if (made) await signingKeys.insert(made)
        const next = made ?? nextOf(keys, algorithm)
        if (before) {
          await signingKeys.change(before.kid, { state: 'previous', replacedAt: now() })
        }
        if (next) {
          const activatedAt = Math.max(now(), next.createdAt + publicationDelay)
          if (!(await signingKeys.change(next.kid, { state: 'current', activatedAt }))) {
            throw new SigningKeyError('Somebody else has just rotated the keys.')
          }
        }
        const details = {
          kid: next?.kid ?? null,
          algorithm,
          previous_kid: before?.kid ?? null,
        }
        await audit.write(tx, { ...doneBy(operator), action: 'signing_key.rotated', details })
        return {
          current: next && withoutKeys(await find(next.kid, tx)),
          previous: before && withoutKeys(await find(before.kid, tx)),
        }
      })
    },

    async retire(kid) {
      return stores.transaction(async (tx) => {
        await tx.signingKeys.lock()
        const key = await find(kid, tx)
        if (key.state === 'current') {
          throw new SigningKeyError('This key signs tokens now. Rotate first, then retire it.')
        }
        if (key.state === 'retired') throw new SigningKeyError('This key was retired before.')
        await tx.signingKeys.change(kid, { state: 'retired', retiredAt: now() })
        const details = { kid, algorithm: key.algorithm }
        await audit.write(tx, { ...doneBy(operator), action: 'signing_key.retired', details })
        return withoutKeys(await find(kid, tx))
      })
    },
  }
}

function nextOf(
  keys: readonly StoredSigningKey[],
  algorithm: SigningAlgorithm,
): StoredSigningKey | undefined {
  return keys.find((key) => key.state === 'next' && key.algorithm === algorithm)
}

function algorithmOf(keys: readonly SigningKey[]): SigningAlgorithm {
  const next = keys.find((key) => key.state === 'next')
  const current = keys.find((key) => key.state === 'current')
  return (next ?? current)?.algorithm ?? 'ES256'
}

/** Nobody outside has any use for the keys themselves. */
function withoutKeys({ publicJwk: _, privateKey: __, ...key }: StoredSigningKey): SigningKey {
  return key
}
