import type { Knex } from 'knex'
import type { KeyAlgorithm, SigningKey, SigningKeyState } from '../domain/signing-key.js'
import { isAsciiValue } from './ascii.js'
import { isDuplicate } from './duplicate.js'

interface SigningKeyRow {
  id: number
  kid: string
  algorithm: string
  public_jwk: string
  private_key: string
  state: string
  is_current: boolean | null
  created_at: number
  activated_at: number | null
  replaced_at: number | null
  retired_at: number | null
}

export interface StoredSigningKey extends SigningKey {
  /** JSON. */
  publicJwk: string
  /** Encrypted JSON; empty once the key is retired. */
  privateKey: string
}

export type NewSigningKey = Omit<
  StoredSigningKey,
  'state' | 'activatedAt' | 'replacedAt' | 'retiredAt'
>

export type SigningKeyChange =
  | { state: 'current'; activatedAt: number }
  | { state: 'previous'; replacedAt: number }
  | { state: 'retired'; retiredAt: number }

export interface SigningKeyStore {
  /** Oldest first; retired ones only if asked for. */
  list(options?: { includeRetired?: boolean }): Promise<StoredSigningKey[]>
  /** The same, of those not retired; keeps them as they are until the transaction ends. */
  lock(): Promise<StoredSigningKey[]>
  /** As `next`. */
  insert(key: NewSigningKey): Promise<void>
  /** @returns `false` if it is to be the current key and another is. */
  change(kid: string, change: SigningKeyChange): Promise<boolean>
  find(kid: string): Promise<StoredSigningKey | undefined>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createSigningKeyStore(db: Knex): SigningKeyStore {
  const signingKeys = () => db<SigningKeyRow>('signing_keys')
  const live = () => signingKeys().whereNot({ state: 'retired' }).orderBy('id')
  return {
    async list({ includeRetired = false } = {}) {
      const rows = await (includeRetired ? signingKeys().orderBy('id') : live())
      return rows.map(fromRow)
    },

    async lock() {
      return (await live().forUpdate()).map(fromRow)
    },

    async insert({ kid, algorithm, publicJwk, privateKey, createdAt }) {
      await signingKeys().insert({
        kid,
        algorithm,
        public_jwk: publicJwk,
        private_key: privateKey,
        state: 'next',
        created_at: createdAt,
      })
    },

    async change(kid, change) {
      const update = signingKeys()
        .where({ kid })
        .update({
          state: change.state,
          is_current: change.state === 'current' ? true : null,
          ...(change.state === 'current' && { activated_at: change.activatedAt }),
          ...(change.state === 'previous' && { replaced_at: change.replacedAt }),
          // Nothing will be signed with it again, so nobody need be able to.
          ...(change.state === 'retired' && { retired_at: change.retiredAt, private_key: '' }),
        })
      try {
        await update
        return true
      } catch (error) {
        if (isDuplicate(error)) return false
        throw error
      }
    },

    async find(kid) {
      if (!isAsciiValue(kid)) return undefined
      const row = await signingKeys().where({ kid }).first()
      return row && fromRow(row)
    },
  }
}

function fromRow(row: SigningKeyRow): StoredSigningKey {
  const number = (value: number | null) => (value === null ? null : Number(value))
  return {
    kid: row.kid,
    algorithm: row.algorithm as KeyAlgorithm,
    publicJwk: row.public_jwk,
    privateKey: row.private_key,
    state: row.state as SigningKeyState,
    createdAt: Number(row.created_at),
    activatedAt: number(row.activated_at),
    replacedAt: number(row.replaced_at),
    retiredAt: number(row.retired_at),
  }
}
