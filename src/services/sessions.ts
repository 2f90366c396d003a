import { canManage, type SessionActor } from '../domain/actor.js'
import { actorOf, doneBy } from '../domain/audit.js'
import { nowhere, type Origin } from '../domain/origin.js'
import { verifyPassword } from '../domain/password.js'
import {
  generateSessionToken,
  nonceOf,
  type Session,
  sessionIdOf,
  sessionLifetime,
} from '../domain/session.js'
import type { User } from '../domain/user.js'
import { ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { AuditTrail } from './audit/trail.js'
import type { LoginLimiter } from './login-limiter.js'

export interface Browser extends Origin {
  userAgent: string | null
}

export interface NewSession {
  /** The cookie's value. */
  token: string
  nonce: string
  user: User
  expiresAt: number
}

export interface SessionService {
  /**
   * @param login A login or an e-mail address.
   * @throws {ServiceError} `incorrect_password`, whether the user exists or not; only with the right
   *   password `rest_authentication_disabled_user`; `rest_too_many_attempts`.
   */
  logIn(login: string, password: string, browser: Browser): Promise<NewSession>
  /** Starts a session for a user who has just been proven by other means. */
  start(user: User, browser: Browser): Promise<NewSession>
  /** @returns The actor of a cookie, or `undefined` if its session has ended. */
  find(token: string, origin?: Origin): Promise<SessionActor | undefined>
  list(actor: SessionActor): Promise<Session[]>
  /** @throws {ServiceError} `rest_forbidden_context` unless the actor may manage this user. */
  listOf(actor: SessionActor, userId: number): Promise<Session[]>
  /** Signs one browser out. @throws {ServiceError} also `rest_session_not_found`. */
  end(actor: SessionActor, userId: number, sessionId: string): Promise<void>
  /** Signs out all of the user's browsers but the one that asks. @returns How many. */
  endOthers(actor: SessionActor, userId: number): Promise<number>
  logOut(token: string, origin?: Origin): Promise<void>
}

export interface SessionServiceDeps {
  stores: Stores
  audit: AuditTrail
  limiter: LoginLimiter
  /** Seconds since the Unix epoch. */
  now: () => number
}

/** A cookie of ours has exactly this form: anything else needs no look-up. */
const tokenPattern = /^[\w-]{43}$/

export function createSessionService(deps: SessionServiceDeps): SessionService {
  const { stores, audit, limiter, now } = deps

  /**
   * @param isStillValid Decides on the user as locked: a password that was changed while it was being
   *   verified here must not open a session that outlives the change.
   */
  async function start(
    user: User,
    browser: Browser,
    isStillValid: (currentHash: string) => boolean = () => true,
  ): Promise<NewSession> {
    const token = generateSessionToken()
    const session: Session = {
      id: sessionIdOf(token),
      userId: user.id,
      createdAt: now(),
      expiresAt: now() + sessionLifetime,
      ip: browser.ip,
      userAgent: browser.userAgent?.slice(0, 255) ?? null,
    }
    const outcome = await stores.transaction(async (tx) => {
      const current = await tx.users.lock(user.id)
      if (!current || !isStillValid(current.passwordHash)) return 'incorrect_password'
      if (current.user.status !== 'active') return 'disabled'
      await tx.sessions.insert(session)
      await audit.write(tx, {
        action: 'session.started',
        actor: actorOf(user),
        userId: user.id,
        origin: browser,
      })
      return 'started'
    })
    if (outcome === 'incorrect_password') throw new ServiceError('incorrect_password')
    if (outcome === 'disabled') throw new ServiceError('rest_authentication_disabled_user')
    return { token, nonce: nonceOf(token), user, expiresAt: session.expiresAt }
  }

  return {
    async logIn(login, password, browser) {
      const found = await stores.users.findCredentials(login)
      const account = found ? `user:${found.user.id}` : `login:${login.toLowerCase().slice(0, 256)}`
      return limiter.guard(account, browser.ip, async () => {
        const isRight = await verifyPassword(found?.passwordHash, password)
        if (!found || !isRight) throw new ServiceError('incorrect_password')
        return start(found.user, browser, (hash) => hash === found.passwordHash)
      })
    },

    start: (user, browser) => start(user, browser),

    async find(token, origin = nowhere) {
      if (!tokenPattern.test(token)) return undefined
      const found = await stores.sessions.find(sessionIdOf(token))
      if (!found || found.session.expiresAt <= now() || found.user.status !== 'active') {
        return undefined
      }
      return { kind: 'session', user: found.user, sessionId: found.session.id, origin }
    },

    list: (actor) => stores.sessions.listByUser(actor.user.id),

    async listOf(actor, userId) {
      assertMayManage(actor, userId)
      const sessions = await stores.sessions.listByUser(userId)
      return sessions.filter((session) => session.expiresAt > now())
    },

    async end(actor, userId, sessionId) {
      assertMayManage(actor, userId)
      const hasEnded = await stores.transaction(async (tx) => {
        const isTheirs = (await tx.sessions.find(sessionId))?.user.id === userId
        if (!isTheirs || !(await tx.sessions.delete(sessionId))) return false
        await audit.write(tx, {
          ...doneBy(actor),
          action: 'session.ended',
          userId,
          reason: 'signed_out',
        })
        return true
      })
      if (!hasEnded) throw new ServiceError('rest_session_not_found')
    },

    async endOthers(actor, userId) {
      assertMayManage(actor, userId)
      return stores.transaction(async (tx) => {
        const sessions = await tx.sessions.deleteByUser(userId, actor.sessionId)
        if (sessions > 0) {
          await audit.write(tx, {
            ...doneBy(actor),
            action: 'session.ended',
            userId,
            reason: 'others_signed_out',
            details: { sessions },
          })
        }
        return sessions
      })
    },

    async logOut(token, origin = nowhere) {
      const id = sessionIdOf(token)
      await stores.transaction(async (tx) => {
        const found = await tx.sessions.find(id)
        if (!found || !(await tx.sessions.delete(id))) return
        const { user } = found
        await audit.write(tx, {
          action: 'session.ended',
          actor: actorOf(user),
          userId: user.id,
          reason: 'logged_out',
          origin,
        })
      })
    },
  }
}

function assertMayManage(actor: SessionActor, userId: number): void {
  if (!canManage(actor, userId)) throw new ServiceError('rest_forbidden_context')
}
