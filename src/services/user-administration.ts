import { type Actor, actorUserId } from '../domain/actor.js'
import { generatePassword } from '../domain/password.js'
import { isAdministrator, type User } from '../domain/user.js'
import { type ErrorCode, ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { AuditTrail } from './audit/trail.js'
import { type UserDetails, type UserService, writeStatus } from './users.js'

/** What an administrator does to other people's accounts. Each call checks who asks. */
export interface UserAdministration {
  /**
   * @param details Without a password, one is made up.
   * @returns The user, and the password that was made up.
   * @throws {ServiceError} also what `UserService.create` throws.
   */
  create(
    actor: Actor,
    details: Omit<UserDetails, 'password'> & { password?: string },
  ): Promise<{ user: User; generatedPassword: string | undefined }>
  /**
   * Sets a password, revokes every key-pair and ends every session of the user.
   *
   * @returns How many key-pairs were revoked, and the password if it was made up.
   * @throws {ServiceError} `rest_user_is_self`: whoever changes their own proves the old one.
   */
  resetPassword(
    actor: Actor,
    userId: number,
    password?: string,
  ): Promise<{ revoked: number; generatedPassword: string | undefined }>
  /** @throws {ServiceError} `rest_user_is_self`, `rest_user_last_administrator`. */
  disable(actor: Actor, userId: number): Promise<void>
  enable(actor: Actor, userId: number): Promise<void>
  /**
   * As `UserService.setExpiry`.
   *
   * @throws {ServiceError} also `rest_user_is_self`: an administrator who does not expire is left.
   */
  setExpiry(actor: Actor, userId: number, expiresAt: number | null): Promise<void>
  /** Whether there is nobody yet, or one user who, as far as is known, has never logged in. */
  firstRun(): Promise<'no_users' | 'nobody_logged_in' | 'over'>
}

export interface UserAdministrationDeps {
  stores: Stores
  audit: AuditTrail
  users: UserService
}

export function createUserAdministration(deps: UserAdministrationDeps): UserAdministration {
  const { stores, audit, users } = deps
  let isFirstRunOver = false

  function assertAdministrator(actor: Actor, code: ErrorCode): void {
    if (actor.kind === 'session' && !isAdministrator(actor.user)) throw new ServiceError(code)
  }

  function assertNotSelf(actor: Actor, userId: number): void {
    if (actorUserId(actor) === userId) throw new ServiceError('rest_user_is_self')
  }

  return {
    async create(actor, { password, ...details }) {
      assertAdministrator(actor, 'rest_cannot_create_user')
      const generatedPassword = password === undefined ? generatePassword() : undefined
      const user = await users.create(
        {
          ...details,
          password: password ?? generatedPassword ?? '',
        },
        actor,
      )
      return { user, generatedPassword }
    },

    async resetPassword(actor, userId, password) {
      assertAdministrator(actor, 'rest_forbidden_context')
      assertNotSelf(actor, userId)
      const generatedPassword = password === undefined ? generatePassword() : undefined
      const revoked = await users.resetPassword(userId, password ?? generatedPassword ?? '', actor)
      return { revoked, generatedPassword }
    },

    async disable(actor, userId) {
      assertAdministrator(actor, 'rest_forbidden_context')
      assertNotSelf(actor, userId)
      const outcome = await stores.transaction(async (tx) => {
        // Locked together: of two administrators who disable one another, one stays.
        const administrators = await tx.users.lockActiveAdministrators()
        if (administrators.length === 1 && administrators[0] === userId) return 'last'
        const asker = actorUserId(actor)
        if (asker !== null && !administrators.includes(asker)) return 'not_administrator'
        const current = await tx.users.lock(userId)
        if (!current) return 'no_user'
        await writeStatus({ tx, audit }, current.user, 'disabled', actor)
        return 'disabled'
      })
      if (outcome === 'last') throw new ServiceError('rest_user_last_administrator')
      if (outcome === 'not_administrator') throw new ServiceError('rest_forbidden_context')
      if (outcome === 'no_user') throw new ServiceError('rest_user_invalid_id')
    },

    async enable(actor, userId) {
      assertAdministrator(actor, 'rest_forbidden_context')
      await users.enable(userId, actor)
    },

    async setExpiry(actor, userId, expiresAt) {
      assertAdministrator(actor, 'rest_forbidden_context')
      assertNotSelf(actor, userId)
      // Of two who limit one another none would be left.
      if (actor.kind === 'session' && actor.user.expiresAt !== null && expiresAt !== null) {
        const user = await stores.users.findById(userId)
        if (user && isAdministrator(user)) throw new ServiceError('rest_user_last_administrator')
      }
      await users.setExpiry(userId, expiresAt, actor)
    },

    async firstRun() {
      if (isFirstRunOver) return 'over'
      const { total } = await stores.users.list({ offset: 0, limit: 1 })
      if (total === 0) return 'no_users'
      if (total === 1 && (await stores.sessions.isEmpty())) return 'nobody_logged_in'
      isFirstRunOver = true
      return 'over'
    },
  }
}
