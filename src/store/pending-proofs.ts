import type { Knex } from 'knex'

/** A password was right; the second factor is still to come. */
export interface PendingLogin {
  /** Hash of the cookie's value. */
  id: string
  userId: number
  /** Hash of the password's hash as it was then. */
  passwordTag: string
  expiresAt: number
}

/** Asked of a passkey: to join (`register`), or to show that it is there (`prove`). */
export interface PasskeyChallenge {
  challenge: string
  userId: number
  purpose: 'register' | 'prove'
  /** Id of the session, or of the log-in under way, that it was made for. */
  holder: string
  expiresAt: number
}

/** What a node has asked for, and any node may get the answer to. */
export interface PendingProofStore {
  insertLogin(login: PendingLogin): Promise<void>
  findLogin(id: string): Promise<PendingLogin | undefined>
  /** @returns Whether it was there: true once, on one node. */
  takeLogin(id: string): Promise<boolean>
  insertChallenge(challenge: PasskeyChallenge): Promise<void>
  /** @returns Whether this very challenge was open: true once, on one node. */
  takeChallenge(challenge: Omit<PasskeyChallenge, 'expiresAt'>, now: number): Promise<boolean>
  purgeExpired(now: number): Promise<number>
}

interface LoginRow {
  id: string
  user_id: number
  password_tag: string
  expires_at: number
}

interface ChallengeRow {
  challenge: string
  user_id: number
  purpose: string
  holder: string
  expires_at: number
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createPendingProofStore(db: Knex): PendingProofStore {
  const logins = () => db<LoginRow>('pending_logins')
  const challenges = () => db<ChallengeRow>('passkey_challenges')
  return {
    async insertLogin({ id, userId, passwordTag, expiresAt }) {
      await logins().insert({
        id,
        user_id: userId,
        password_tag: passwordTag,
        expires_at: expiresAt,
      })
    },

    async findLogin(id) {
      const row = await logins().where({ id }).first()
      return (
        row && {
          id: row.id,
          userId: row.user_id,
          passwordTag: row.password_tag,
          expiresAt: Number(row.expires_at),
        }
      )
    },

    async takeLogin(id) {
      return (await logins().where({ id }).delete()) > 0
    },

    async insertChallenge({ challenge, userId, purpose, holder, expiresAt }) {
      await challenges().insert({
        challenge,
        user_id: userId,
        purpose,
        holder,
        expires_at: expiresAt,
      })
    },

    async takeChallenge({ challenge, userId, purpose, holder }, now) {
      const taken = await challenges()
        .where({ challenge, user_id: userId, purpose, holder })
        .where('expires_at', '>', now)
        .delete()
      return taken > 0
    },

    async purgeExpired(now) {
      const expired = await logins().where('expires_at', '<=', now).delete()
      return expired + (await challenges().where('expires_at', '<=', now).delete())
    },
  }
}
