import type { Knex } from 'knex'
import type { Passkey } from '../domain/second-factor.js'
import { isAsciiValue } from './ascii.js'
import { isDuplicate } from './duplicate.js'

interface PasskeyRow {
  id: number
  user_id: number
  credential_id: string
  public_key: string
  counter: number
  transports: string
  name: string
  created_at: number
  last_used_at: number | null
}

export interface PasskeyStore {
  /** @returns `false` if somebody has this passkey already. */
  insert(passkey: Omit<Passkey, 'id' | 'lastUsedAt'>): Promise<boolean>
  /** Oldest first. */
  listByUser(userId: number): Promise<Passkey[]>
  findByCredential(userId: number, credentialId: string): Promise<Passkey | undefined>
  /**
   * @param counter As the device says now.
   * @returns Whether it was lower before, or the device does not count: a copy of it gives itself away
   *   by a number that has been used.
   */
  recordUse(id: number, counter: number, at: number): Promise<boolean>
  remove(userId: number, id: number): Promise<boolean>
  removeAll(userId: number): Promise<void>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createPasskeyStore(db: Knex): PasskeyStore {
  const passkeys = () => db<PasskeyRow>('passkeys')
  return {
    async insert(passkey) {
      try {
        await passkeys().insert({
          user_id: passkey.userId,
          credential_id: passkey.credentialId,
          public_key: passkey.publicKey,
          counter: passkey.counter,
          transports: passkey.transports.join(','),
          name: passkey.name,
          created_at: passkey.createdAt,
        })
        return true
      } catch (error) {
        if (!isDuplicate(error)) throw error
        return false
      }
    },

    async listByUser(userId) {
      return (await passkeys().where({ user_id: userId }).orderBy('id')).map(fromRow)
    },

    async findByCredential(userId, credentialId) {
      if (!isAsciiValue(credentialId)) return undefined
      const row = await passkeys().where({ user_id: userId, credential_id: credentialId }).first()
      return row && fromRow(row)
    },

    async recordUse(id, counter, at) {
      const changed = await passkeys()
        .where({ id })
        .where((where) => {
          where.where('counter', '<', counter)
          if (counter === 0) where.orWhere('counter', 0)
        })
        .update({ counter, last_used_at: at })
      return changed > 0
    },

    async remove(userId, id) {
      return (await passkeys().where({ user_id: userId, id }).delete()) > 0
    },

    async removeAll(userId) {
      await passkeys().where({ user_id: userId }).delete()
    },
  }
}

function fromRow(row: PasskeyRow): Passkey {
  return {
    id: row.id,
    userId: row.user_id,
    credentialId: row.credential_id,
    publicKey: row.public_key,
    counter: Number(row.counter),
    transports: row.transports.split(',').filter((name) => name !== ''),
    name: row.name,
    createdAt: Number(row.created_at),
    lastUsedAt: row.last_used_at === null ? null : Number(row.last_used_at),
  }
}
