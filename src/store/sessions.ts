import type { Knex } from 'knex'
import type { Session } from '../domain/session.js'
import type { User } from '../domain/user.js'
import { userColumns, userFromRow } from './users.js'

interface SessionRow {
  id: string
  user_id: number
  created_at: number
  expires_at: number
  ip: string | null
  user_agent: string | null
  second_factor_at: number | null
}

export interface SessionStore {
  insert(session: Session): Promise<void>
  /** The session and its user, in one query; `undefined` once either is gone. */
  find(id: string): Promise<{ session: Session; user: User } | undefined>
  listByUser(userId: number): Promise<Session[]>
  delete(id: string): Promise<boolean>
  isEmpty(): Promise<boolean>
  deleteByUser(userId: number, except?: string): Promise<number>
  /** @returns Whether there is such a session. */
  setSecondFactorAt(id: string, at: number): Promise<boolean>
  /** None of the user's browsers has proven anything any more. */
  clearSecondFactorAt(userId: number): Promise<void>
  purgeExpired(now: number): Promise<number>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createSessionStore(db: Knex): SessionStore {
  const sessions = () => db<SessionRow>('sessions')
  return {
    async insert(session) {
      await sessions().insert({
        id: session.id,
        user_id: session.userId,
        created_at: session.createdAt,
        expires_at: session.expiresAt,
        ip: session.ip,
        user_agent: session.userAgent,
        second_factor_at: session.secondFactorAt,
      })
    },

    async find(id) {
      const row = await db('sessions')
        .join('users', 'users.id', 'sessions.user_id')
        .where('sessions.id', id)
        .first([
          ...userColumns,
          'sessions.id as session_id',
          'sessions.created_at as session_created_at',
          'sessions.expires_at',
          'sessions.ip',
          'sessions.user_agent',
          'sessions.second_factor_at',
        ])
      if (!row) return undefined
      const session = fromRow({
        ...row,
        id: row.session_id,
        user_id: row.id,
        created_at: row.session_created_at,
      })
      return { session, user: userFromRow(row) }
    },

    async listByUser(userId) {
      const rows = await sessions().where({ user_id: userId }).orderBy('created_at', 'desc')
      return rows.map(fromRow)
    },

    async delete(id) {
      return (await sessions().where({ id }).delete()) > 0
    },

    async isEmpty() {
      return (await sessions().first('id')) === undefined
    },

    async deleteByUser(userId, except) {
      const query = sessions().where({ user_id: userId })
      return except === undefined ? query.delete() : query.whereNot({ id: except }).delete()
    },

    async setSecondFactorAt(id, at) {
      return (await sessions().where({ id }).update({ second_factor_at: at })) > 0
    },

    async clearSecondFactorAt(userId) {
      await sessions().where({ user_id: userId }).update({ second_factor_at: null })
    },

    async purgeExpired(now) {
      return sessions().where('expires_at', '<=', now).delete()
    },
  }
}

function fromRow(row: SessionRow): Session {
  return {
    id: row.id,
    userId: row.user_id,
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    ip: row.ip,
    userAgent: row.user_agent,
    secondFactorAt: row.second_factor_at === null ? null : Number(row.second_factor_at),
  }
}
