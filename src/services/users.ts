import { lastMoment } from '../domain/key-pair-policy.js'
import { type Actor, type Asker, canView, operator, type TokenPrincipal } from '../domain/actor.js'
import { doneBy } from '../domain/audit.js'
import { nowhere, type Origin } from '../domain/origin.js'
import { hashPassword, passwordProblem, verifyPassword } from '../domain/password.js'
import { textProblem } from '../domain/text.js'
import {
  isAdministrator,
  loginPattern,
  nicenameFrom,
  type Role,
  type User,
  type UserStatus,
} from '../domain/user.js'
import { invalidParameters, ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { NewUser, UserPage } from '../store/users.js'
import type { AuditTrail } from './audit/trail.js'
import { revokePairs } from './key-pair-revocations.js'
import type { LoginLimiter } from './login-limiter.js'

export interface UserDetails {
  login: string
  email: string
  password: string
  role: Role
  displayName?: string
  firstName?: string
  lastName?: string
}

export interface UserService {
  /** @throws {ServiceError} `rest_invalid_param`, `existing_user_login`, `existing_user_email`. */
  create(details: UserDetails, actor?: Actor): Promise<User>
  /** @throws {ServiceError} `rest_user_invalid_id` */
  findByLogin(login: string): Promise<User>
  /** @throws {ServiceError} `rest_user_cannot_view`, or `rest_user_invalid_id` to an administrator. */
  view(viewer: Actor | TokenPrincipal, userId: number): Promise<User>
  /** @throws {ServiceError} `rest_user_cannot_view` unless the viewer is an administrator. */
  list(viewer: Actor | TokenPrincipal, page: UserPage): Promise<{ users: User[]; total: number }>
  /**
   * Changes one's own password, and with it revokes every key-pair and ends every session.
   *
   * @returns How many key-pairs were revoked.
   * @throws {ServiceError} `rest_user_incorrect_password`, `rest_invalid_param`; also
   *   `rest_too_many_attempts`, for whoever has found a browser logged in and guesses.
   */
  changePassword(
    user: User,
    oldPassword: string,
    newPassword: string,
    origin?: Origin,
  ): Promise<number>
  /** The same, by somebody who need not know the old one: an administrator, or else an operator. */
  resetPassword(userId: number, newPassword: string, actor?: Actor): Promise<number>
  /** Refuses the user's tokens, key-pairs and sessions until enabled again. */
  disable(userId: number, actor?: Actor): Promise<void>
  enable(userId: number, actor?: Actor): Promise<void>
  /**
   * Says from when on the account is refused: log-ins, sessions, key-pairs and tokens. All of them work
   * again if it is put off.
   *
   * @param expiresAt Seconds since the Unix epoch; `null`: never.
   * @throws {ServiceError} `rest_invalid_param`, `rest_user_invalid_id`.
   */
  setExpiry(userId: number, expiresAt: number | null, actor?: Actor): Promise<void>
  delete(userId: number, actor?: Actor): Promise<void>
}

export interface UserServiceDeps {
  stores: Stores
  audit: AuditTrail
  limiter: LoginLimiter
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createUserService({ stores, audit, limiter, now }: UserServiceDeps): UserService {
  /**
   * @param isStillValid Decides on the user as locked, so that of two simultaneous changes the second
   *   cannot build on a password that the first has replaced.
   */
  async function setPassword(
    userId: number,
    newPassword: string,
    by: Asker,
    isStillValid: (currentHash: string) => boolean = () => true,
  ): Promise<number> {
    const passwordHash = await hashPassword(newPassword)
    const outcome = await stores.transaction(async (tx) => {
      const current = await tx.users.lock(userId)
      if (!current) return 'no_user'
      if (!isStillValid(current.passwordHash)) return 'incorrect_password'
      await tx.users.updatePassword(userId, passwordHash)
      await tx.sessions.deleteByUser(userId)
      const revoked = await revokePairs({ tx, audit, at: now() }, by, userId, 'password_changed')
      const event = { ...doneBy(by), action: 'user.password_changed', userId } as const
      await audit.write(tx, { ...event, details: { revoked } })
      return revoked
    })
    if (outcome === 'no_user') throw new ServiceError('rest_user_invalid_id')
    if (outcome === 'incorrect_password') throw new ServiceError('rest_user_incorrect_password')
    return outcome
  }

  async function setStatus(
    userId: number,
    status: UserStatus,
    actor: Actor = operator,
  ): Promise<void> {
    const found = await stores.transaction(async (tx) => {
      const current = await tx.users.lock(userId)
      if (!current) return false
      await writeStatus({ tx, audit }, current.user, status, actor)
      return true
    })
    if (!found) throw new ServiceError('rest_user_invalid_id')
  }

  function assertPassword(parameter: string, password: string): void {
    const problem = passwordProblem(password)
    if (problem) throw invalidParameters({ [parameter]: problem })
  }

  return {
    async create(details, actor = operator) {
      const { login, email, password, role } = details
      const problems: Record<string, string> = {}
      const note = (parameter: string, problem: string | undefined) => {
        if (problem) problems[parameter] = problem
      }
      if (!loginPattern.test(login)) {
        note('user_login', 'must be 1 to 60 letters, digits, spaces or any of _ . - @')
      }
      if (!isEmail(email)) note('user_email', 'must be an e-mail address')
      note('password', passwordProblem(password))
      const names = {
        displayName: details.displayName ?? login,
        firstName: details.firstName ?? '',
        lastName: details.lastName ?? '',
      }
      note('display_name', textProblem(names.displayName, 250))
      note('first_name', textProblem(names.firstName, 250))
      note('last_name', textProblem(names.lastName, 250))
      if (Object.keys(problems).length > 0) throw invalidParameters(problems)

      const newUser: NewUser = {
        login,
        email,
        nicename: nicenameFrom(login),
        ...names,
        roles: [role],
        status: 'active',
        createdAt: now(),
        expiresAt: null,
        passwordHash: await hashPassword(password),
      }
      const user = await stores.transaction(async (tx) => {
        const created = await tx.users.insert(newUser)
        if (typeof created === 'string') return created
        await audit.write(tx, {
          ...doneBy(actor),
          action: 'user.created',
          userId: created.id,
          details: { login, email, role },
        })
        return created
      })
      if (user === 'login_taken') throw new ServiceError('existing_user_login')
      if (user === 'email_taken') throw new ServiceError('existing_user_email')
      return user
    },

    async findByLogin(login) {
      const user = await stores.users.findByLogin(login)
      if (!user) {
        throw new ServiceError('rest_user_invalid_id', { message: `There is no user "${login}".` })
      }
      return user
    },

    async view(viewer, userId) {
      if (!canView(viewer, userId)) throw new ServiceError('rest_user_cannot_view')
      // The viewer was read for this very request.
      if (viewer.kind !== 'operator' && viewer.user.id === userId) return viewer.user
      const user = await stores.users.findById(userId)
      if (!user) throw new ServiceError('rest_user_invalid_id')
      return user
    },

    async list(viewer, page) {
      if (viewer.kind !== 'operator' && !isAdministrator(viewer.user)) {
        throw new ServiceError('rest_user_cannot_view')
      }
      return stores.users.list(page)
    },

    async changePassword(user, oldPassword, newPassword, origin = nowhere) {
      assertPassword('new_password', newPassword)
      // Not the count of its log-ins: others must not be able to keep somebody from this.
      return limiter.guard(`change:${user.id}`, null, async () => {
        const credentials = await stores.users.findCredentials(user.login)
        if (!(await verifyPassword(credentials?.passwordHash, oldPassword))) {
          throw new ServiceError('rest_user_incorrect_password')
        }
        const by: Asker = { kind: 'session', user, origin }
        return setPassword(user.id, newPassword, by, (hash) => hash === credentials?.passwordHash)
      })
    },

    async resetPassword(userId, newPassword, actor = operator) {
      assertPassword('password', newPassword)
      return setPassword(userId, newPassword, actor)
    },

    disable: (userId, actor) => setStatus(userId, 'disabled', actor),

    enable: (userId, actor) => setStatus(userId, 'active', actor),

    async setExpiry(userId, expiresAt, actor = operator) {
      if (expiresAt !== null && !(Number.isSafeInteger(expiresAt) && expiresAt <= lastMoment)) {
        throw invalidParameters({ expires_at: 'must be before the year 10000' })
      }
      const found = await stores.transaction(async (tx) => {
        const current = await tx.users.lock(userId)
        if (!current) return false
        const { login, expiresAt: before } = current.user
        if (before === expiresAt) return true
        await tx.users.updateExpiry(userId, expiresAt)
        const event = { ...doneBy(actor), action: 'user.expiry_changed', userId } as const
        await audit.write(tx, { ...event, details: { login, expires_at: expiresAt } })
        return true
      })
      if (!found) throw new ServiceError('rest_user_invalid_id')
    },

    async delete(userId, actor = operator) {
      const found = await stores.transaction(async (tx) => {
        const current = await tx.users.lock(userId)
        if (!current || !(await tx.users.delete(userId))) return false
        const { login, email } = current.user
        const event = { ...doneBy(actor), action: 'user.deleted', userId } as const
        await audit.write(tx, { ...event, details: { login, email } })
        return true
      })
      if (!found) throw new ServiceError('rest_user_invalid_id')
    },
  }
}

/**
 * Sets the status of a user who is locked, ends the sessions of one who is disabled, and says so in
 * the audit log if that changes anything.
 */
export async function writeStatus(
  { tx, audit }: { tx: Stores; audit: AuditTrail },
  { id, login, status: before }: User,
  status: UserStatus,
  actor: Actor,
): Promise<void> {
  await tx.users.updateStatus(id, status)
  if (status === 'disabled') await tx.sessions.deleteByUser(id)
  if (status === before) return
  const action = status === 'disabled' ? 'user.disabled' : 'user.enabled'
  await audit.write(tx, { ...doneBy(actor), action, userId: id, details: { login } })
}

/** One `@`, a local part and a domain with a dot, in ASCII: WordPress's `is_email`. */
function isEmail(email: string): boolean {
  return (
    email.length <= 254 &&
    /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(email)
  )
}
