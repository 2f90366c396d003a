import { createHash } from 'node:crypto'
import { canManage, type SessionActor } from '../domain/actor.js'
import { actorOf, doneBy } from '../domain/audit.js'
import { nowhere, type Origin } from '../domain/origin.js'
import { verifyPassword } from '../domain/password.js'
import { hasSecondFactor, pendingLoginLifetime } from '../domain/second-factor.js'
import {
  generateSessionToken,
  nonceOf,
  type Session,
  sessionIdOf,
  sessionLifetime,
} from '../domain/session.js'
import { isExpiredUser, isUsable, type User } from '../domain/user.js'
import { ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { AuditTrail } from './audit/trail.js'
import type { LoginLimiter } from './login-limiter.js'
import type { Proof, ProofKind, SecondFactorService } from './second-factors.js'

export interface Browser extends Omit<Origin, 'userAgent'> {
  userAgent?: string | null | undefined
}

export interface NewSession {
  /** The cookie's value. */
  token: string
  nonce: string
  user: User
  expiresAt: number
}

/** The password was right; the user has a second factor, which is still to come. */
export interface PendingLogIn {
  /** The cookie's value until then. */
  pendingToken: string
  expiresAt: number
}

export interface SessionService {
  /**
   * @param login A login or an e-mail address.
   * @param otp Where the user has a second factor: a code of the app, or a recovery code.
   * @throws {ServiceError} `incorrect_password`, whether the user exists or not; only with the right
   *   password `rest_authentication_disabled_user`, `…_second_factor_required`,
   *   `…_invalid_second_factor`; `rest_too_many_attempts`.
   */
  logIn(login: string, password: string, browser: Browser, otp?: string): Promise<NewSession>
  /** The first of two steps, where there are two. @throws {ServiceError} as `logIn`. */
  begin(login: string, password: string, browser: Browser): Promise<NewSession | PendingLogIn>
  /** @returns Who is under way, or `undefined` if the time is over. */
  findPending(pendingToken: string): Promise<{ user: User; id: string } | undefined>
  /**
   * The second step.
   *
   * @throws {ServiceError} `rest_login_ended`, `rest_authentication_invalid_second_factor`,
   *   `rest_too_many_attempts`.
   */
  complete(pendingToken: string, proof: Proof, browser: Browser): Promise<NewSession>
  /** Starts a session in place of one that has just ended with the password, for its browser. */
  resume(actor: SessionActor, browser: Browser): Promise<NewSession>
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
  secondFactors: Pick<SecondFactorService, 'prove'>
  /** Seconds since the Unix epoch. */
  now: () => number
}

/** A cookie of ours has exactly this form: anything else needs no look-up. */
const tokenPattern = /^[\w-]{43}$/

interface StartOptions {
  /**
   * Decides on the user as locked: a password that was changed while it was being verified here must
   * not open a session that outlives the change.
   */
  isStillValid?: (currentHash: string) => boolean
  /** Without it, only somebody who has no second factor gets a session. */
  secondFactorAt?: number | null
  /** What the second factor was, for the audit log. */
  provenBy?: ProofKind
  /** The log-in that ends with this, and leads to one session only. */
  pendingId?: string
}

/** Names a password without telling more of it than its hash. */
const tagOf = (passwordHash: string) =>
  createHash('sha256').update(passwordHash).digest('base64url')

export function createSessionService(deps: SessionServiceDeps): SessionService {
  const { stores, audit, limiter, secondFactors, now } = deps

  async function start(
    user: User,
    browser: Browser,
    { isStillValid = () => true, secondFactorAt = null, provenBy, pendingId }: StartOptions,
  ): Promise<NewSession> {
    const token = generateSessionToken()
    const session: Session = {
      id: sessionIdOf(token),
      userId: user.id,
      createdAt: now(),
      expiresAt: now() + sessionLifetime,
      ip: browser.ip,
      userAgent: browser.userAgent?.slice(0, 255) ?? null,
      secondFactorAt,
    }
    const outcome = await stores.transaction(async (tx) => {
      const current = await tx.users.lock(user.id)
      if (!current || !isStillValid(current.passwordHash)) return 'incorrect_password'
      if (current.user.status !== 'active') return 'disabled'
      if (isExpiredUser(current.user, now())) return 'expired'
      if (secondFactorAt === null && hasSecondFactor(await tx.secondFactors.find(user.id))) {
        return 'second_factor_required'
      }
      if (pendingId !== undefined && !(await tx.pendingProofs.takeLogin(pendingId))) return 'ended'
      await tx.sessions.insert(session)
      await audit.write(tx, {
        action: 'session.started',
        actor: actorOf(user),
        userId: user.id,
        origin: { ...browser, userAgent: browser.userAgent ?? undefined },
        details: secondFactorAt === null ? {} : { second_factor: provenBy ?? true },
      })
      return 'started'
    })
    if (outcome === 'incorrect_password') throw new ServiceError('incorrect_password')
    if (outcome === 'disabled') throw new ServiceError('rest_authentication_disabled_user')
    if (outcome === 'expired') throw new ServiceError('rest_authentication_expired_user')
    if (outcome === 'second_factor_required') {
      throw new ServiceError('rest_authentication_second_factor_required')
    }
    if (outcome === 'ended') throw new ServiceError('rest_login_ended')
    return { token, nonce: nonceOf(token), user, expiresAt: session.expiresAt }
  }

  /** @throws {ServiceError} `incorrect_password`, `rest_authentication_disabled_user`, … */
  async function provePassword(login: string, password: string, address: string | null) {
    const found = await stores.users.findCredentials(login)
    const account = found ? `user:${found.user.id}` : `login:${login.toLowerCase().slice(0, 256)}`
    return limiter.guard(account, address, async () => {
      const isRight = await verifyPassword(found?.passwordHash, password)
      const userId = found?.user.id
      if (!found || !isRight) {
        const reason = found ? 'wrong_password' : 'unknown_login'
        throw new ServiceError('incorrect_password', { about: { userId, reason } })
      }
      if (found.user.status !== 'active') {
        throw new ServiceError('rest_authentication_disabled_user', { about: { userId } })
      }
      if (isExpiredUser(found.user, now())) {
        throw new ServiceError('rest_authentication_expired_user', { about: { userId } })
      }
      return found
    })
  }

  async function findPending(pendingToken: string) {
    if (!tokenPattern.test(pendingToken)) return undefined
    const pending = await stores.pendingProofs.findLogin(sessionIdOf(pendingToken))
    if (!pending || pending.expiresAt <= now()) return undefined
    const user = await stores.users.findById(pending.userId)
    return user && isUsable(user, now())
      ? { user, id: pending.id, tag: pending.passwordTag }
      : undefined
  }

  return {
    findPending,

    async logIn(login, password, browser, otp) {
      const { user, passwordHash } = await provePassword(login, password, browser.ip)
      const isStillValid = (hash: string) => hash === passwordHash
      if (!hasSecondFactor(await stores.secondFactors.find(user.id))) {
        return start(user, browser, { isStillValid })
      }
      if (otp === undefined) throw new ServiceError('rest_authentication_second_factor_required')
      const provenBy = await secondFactors.prove(user.id, '', { otp }, browser.ip)
      return start(user, browser, { isStillValid, secondFactorAt: now(), provenBy })
    },

    async begin(login, password, browser) {
      const { user, passwordHash } = await provePassword(login, password, browser.ip)
      if (!hasSecondFactor(await stores.secondFactors.find(user.id))) {
        return start(user, browser, { isStillValid: (hash) => hash === passwordHash })
      }
      const pendingToken = generateSessionToken()
      const expiresAt = now() + pendingLoginLifetime
      await stores.pendingProofs.insertLogin({
        id: sessionIdOf(pendingToken),
        userId: user.id,
        passwordTag: tagOf(passwordHash),
        expiresAt,
      })
      return { pendingToken, expiresAt }
    },

    async complete(pendingToken, proof, browser) {
      const pending = await findPending(pendingToken)
      if (!pending) throw new ServiceError('rest_login_ended')
      const { user, id, tag } = pending
      const provenBy = await secondFactors.prove(user.id, id, proof, browser.ip)
      return start(user, browser, {
        isStillValid: (hash) => tagOf(hash) === tag,
        secondFactorAt: now(),
        provenBy,
        pendingId: id,
      })
    },

    resume: ({ user, secondFactorAt }, browser) => start(user, browser, { secondFactorAt }),

    async find(token, origin = nowhere) {
      if (!tokenPattern.test(token)) return undefined
      const found = await stores.sessions.find(sessionIdOf(token))
      if (!found || found.session.expiresAt <= now() || !isUsable(found.user, now())) {
        return undefined
      }
      const { id: sessionId, secondFactorAt } = found.session
      return { kind: 'session', user: found.user, sessionId, secondFactorAt, origin }
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
