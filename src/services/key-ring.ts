import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { CryptoKey, JWK } from 'jose'
import { importJWK } from 'jose/key/import'
import { decrypt } from '../domain/key-encryption.js'
import { type KeyAlgorithm, type SigningKey, signingKeyAt } from '../domain/signing-key.js'
import { ServiceError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { SigningKeyStore, StoredSigningKey } from '../store/signing-keys.js'
import { type EncryptionKey, SigningKeyError } from './signing-keys.js'

export interface VerifyingKey {
  /** The one algorithm that this key is ever used with, whatever a token's header says. */
  algorithm: KeyAlgorithm
  key: CryptoKey
}

export interface PrivateKey {
  kid: string
  algorithm: KeyAlgorithm
  key: KeyObject
}

export interface KeyRing {
  /** What signs now; `undefined`: the secret. */
  signer(): PrivateKey | undefined
  /** What verifies tokens that name this key; `undefined` if they are to be refused. */
  verifier(kid: string): Promise<VerifyingKey | undefined>
  /** Next, current and previous keys, oldest first. */
  publicKeys(): readonly JWK[]
  /** Why this node cannot sign with the current key, if so: then what it had before signs on. */
  problem(): SigningKeyError | undefined
  /** Looks for changes, now. @throws if the database cannot be read. */
  reload(): Promise<void>
  /** @param listener Called after each change, so that what was verified before can be forgotten. */
  onChange(listener: () => void): void
  close(): void
}

export interface KeyRingDeps {
  store: SigningKeyStore
  encryptionKey: EncryptionKey
  logger: Logger
  /** Seconds since the Unix epoch. */
  now: () => number
  /** Milliseconds between two looks for changes. */
  pollMs?: number
}

interface LoadedKey extends SigningKey {
  publicJwk: JWK
  verifier: VerifyingKey
  /** Only of a key that may have to sign, and whose private key could be decrypted. */
  signer: PrivateKey | undefined
}

const kidPattern = /^[\w-]{43}$/

/**
 * The signing keys as this node knows them: read once, imported once, and looked at again every two
 * seconds. What the database says is the truth, so all nodes on it follow without being told.
 */
export async function createKeyRing(deps: KeyRingDeps): Promise<KeyRing> {
  const { store, encryptionKey, logger, now, pollMs = 2000 } = deps
  let keys: LoadedKey[] = []
  let version = ''
  let problem: SigningKeyError | undefined
  let listener = () => {}
  let loading: Promise<void> | undefined
  let lastLook = -Infinity
  let isFailing = false

  function reload(): Promise<void> {
    loading ??= load().finally(() => {
      loading = undefined
    })
    return loading
  }

  async function load(): Promise<void> {
    const rows = await store.list()
    const found = rows.map((row) => `${row.kid} ${row.state} ${row.activatedAt}`).join('\n')
    if (found === version && !problem) return
    problem = undefined
    const before = new Map(keys.map((key) => [key.kid, key]))
    keys = await Promise.all(rows.map((row) => open(row, before.get(row.kid))))
    if (found === version) return
    version = found
    listener()
  }

  async function open(row: StoredSigningKey, known: LoadedKey | undefined): Promise<LoadedKey> {
    const { publicJwk: text, privateKey, ...key } = row
    const publicJwk = known?.publicJwk ?? (JSON.parse(text) as JWK)
    const verifier = known?.verifier ?? (await toVerifyingKey(row, publicJwk))
    const signs = row.state === 'current' || row.state === 'previous'
    const signer = known?.signer ?? (signs ? openPrivate(row, privateKey) : undefined)
    return { ...key, publicJwk, verifier, signer }
  }

  function openPrivate(row: StoredSigningKey, text: string): PrivateKey | undefined {
    try {
      const secret = encryptionKey.existing()
      if (!secret) throw new Error('there is no key to decrypt it with')
      const jwk = JSON.parse(decrypt(secret, row.kid, text))
      const key = createPrivateKey({ key: jwk, format: 'jwk' })
      return { kid: row.kid, algorithm: row.algorithm, key }
    } catch (cause) {
      // A previous key has signed all that it will; only its public half is needed.
      if (row.state === 'current') {
        problem = new SigningKeyError(
          `The private key of ${row.kid}, which signs tokens, cannot be decrypted. ` +
            'KEY_ENCRYPTION_KEY must be the same on all nodes of one database.',
          { cause },
        )
        logger.error({ kid: row.kid }, problem.message)
      }
      return undefined
    }
  }

  async function poll(): Promise<void> {
    try {
      await reload()
      isFailing = false
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, 'signing keys could not be read; will try again')
      isFailing = true
    }
  }

  await reload()
  const timer = setInterval(() => void poll(), pollMs)
  timer.unref()

  const find = (kid: string) => keys.find((key) => key.kid === kid)?.verifier

  return {
    signer: () =>
      signingKeyAt(
        keys.filter((key) => key.signer),
        now(),
      )?.signer,
    async verifier(kid) {
      const known = find(kid)
      if (known || !kidPattern.test(kid)) return known
      // Another node may have begun to sign with it a moment ago. But a token may name anything, so
      // that is looked up once a second at most.
      if (now() > lastLook) {
        lastLook = now()
        try {
          await reload()
        } catch (cause) {
          throw new ServiceError('rest_service_unavailable', { cause })
        }
      }
      return find(kid)
    },
    publicKeys: () => keys.map((key) => key.publicJwk),
    problem: () => problem,
    reload,
    onChange(given) {
      listener = given
    },
    close: () => clearInterval(timer),
  }
}

async function toVerifyingKey(
  { algorithm }: Pick<SigningKey, 'algorithm'>,
  jwk: JWK,
): Promise<VerifyingKey> {
  return { algorithm, key: (await importJWK(jwk, algorithm)) as CryptoKey }
}
