import type { Knex } from 'knex'
import type { SecondFactors } from '../domain/second-factor.js'

interface SecondFactorRow {
  user_id: number
  is_required: boolean | number
  totp_secret: string | null
  totp_confirmed_at: number | null
  totp_last_step: number
}

interface RecoveryCodeRow {
  user_id: number
  hash: string
  used_at: number | null
}

export interface StoredTotp {
  /** Encrypted. */
  secret: string
  isConfirmed: boolean
}

export interface SecondFactorStore {
  /** What the user has; nothing, for a user who does not exist. */
  find(userId: number): Promise<SecondFactors>
  setRequired(userId: number, isRequired: boolean): Promise<void>
  findTotp(userId: number): Promise<StoredTotp | undefined>
  /** Keeps a secret that is not confirmed yet. @returns Whether there was no confirmed one. */
  offerTotp(userId: number, secret: string): Promise<boolean>
  /**
   * @param secret As it was found: another one may have been offered meanwhile.
   * @param step Time step of the code that confirms it, which is used up by that.
   */
  confirmTotp(userId: number, secret: string, step: number, at: number): Promise<boolean>
  /** @returns Whether neither this step nor a later one was used before: true once, on one node. */
  useTotpStep(userId: number, step: number): Promise<boolean>
  removeTotp(userId: number): Promise<boolean>
  replaceRecoveryCodes(userId: number, hashes: readonly string[]): Promise<void>
  /** @returns Whether there is such a code, unused until now: true once, on one node. */
  useRecoveryCode(userId: number, hash: string, at: number): Promise<boolean>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createSecondFactorStore(db: Knex): SecondFactorStore {
  const factors = () => db<SecondFactorRow>('second_factors')
  const codes = () => db<RecoveryCodeRow>('recovery_codes')

  async function ensureRow(userId: number): Promise<void> {
    await factors().insert({ user_id: userId }).onConflict('user_id').ignore()
  }

  return {
    async find(userId) {
      const row = await db('users')
        .leftJoin('second_factors', 'second_factors.user_id', 'users.id')
        .where('users.id', userId)
        .first(
          'second_factors.is_required',
          'second_factors.totp_confirmed_at',
          db('passkeys').where({ user_id: userId }).count('*').as('passkeys'),
          codes().where({ user_id: userId, used_at: null }).count('*').as('recovery_codes'),
        )
      return {
        isRequired: Boolean(row?.is_required),
        hasTotp: row != null && row.totp_confirmed_at !== null,
        passkeys: Number(row?.passkeys ?? 0),
        recoveryCodes: Number(row?.recovery_codes ?? 0),
      }
    },

    async setRequired(userId, isRequired) {
      await ensureRow(userId)
      await factors().where({ user_id: userId }).update({ is_required: isRequired })
    },

    async findTotp(userId) {
      const row = await factors().where({ user_id: userId }).first()
      if (!row || row.totp_secret === null) return undefined
      return { secret: row.totp_secret, isConfirmed: row.totp_confirmed_at !== null }
    },

    async offerTotp(userId, secret) {
      await ensureRow(userId)
      const changed = await factors()
        .where({ user_id: userId, totp_confirmed_at: null })
        .update({ totp_secret: secret })
      return changed > 0
    },

    async confirmTotp(userId, secret, step, at) {
      const changed = await factors()
        .where({ user_id: userId, totp_confirmed_at: null, totp_secret: secret })
        .update({ totp_confirmed_at: at, totp_last_step: step })
      return changed > 0
    },

    async useTotpStep(userId, step) {
      const changed = await factors()
        .where({ user_id: userId })
        .whereNotNull('totp_confirmed_at')
        .where('totp_last_step', '<', step)
        .update({ totp_last_step: step })
      return changed > 0
    },

    async removeTotp(userId) {
      const changed = await factors()
        .where({ user_id: userId })
        .whereNotNull('totp_secret')
        .update({ totp_secret: null, totp_confirmed_at: null, totp_last_step: 0 })
      return changed > 0
    },

    async replaceRecoveryCodes(userId, hashes) {
      await codes().where({ user_id: userId }).delete()
      if (hashes.length === 0) return
      await codes().insert(hashes.map((hash) => ({ user_id: userId, hash, used_at: null })))
    },

    async useRecoveryCode(userId, hash, at) {
      const changed = await codes()
        .where({ user_id: userId, hash, used_at: null })
        .update({ used_at: at })
      return changed > 0
    },
  }
}
