/** A person, with WordPress's fields. */
export interface User {
  id: number
  /** Unique without regard to case; never changes. */
  login: string
  email: string
  /** The login made fit for a URL; the `slug` of the REST API. */
  nicename: string
  displayName: string
  firstName: string
  lastName: string
  roles: Role[]
  status: UserStatus
  /** From then on the account is refused, in seconds since the Unix epoch; `null`: it does not expire. */
  expiresAt: number | null
  /** Seconds since the Unix epoch. */
  createdAt: number
}

export const roles = ['administrator', 'editor', 'author', 'contributor', 'subscriber'] as const
export type Role = (typeof roles)[number]
export type UserStatus = 'active' | 'disabled'

/** WordPress's limit, and its alphabet for new logins (`sanitize_user` in strict mode). */
export const loginPattern = /^[A-Za-z0-9](?:[A-Za-z0-9 _.@-]{0,58}[A-Za-z0-9_.@-])?$/

export function isAdministrator(user: Pick<User, 'roles'>): boolean {
  return user.roles.includes('administrator')
}

/** Whether an account has come to its end. */
export function isExpiredUser({ expiresAt }: Pick<User, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}

/** Whether the account may be used: it is neither disabled nor expired. */
export function isUsable(user: Pick<User, 'status' | 'expiresAt'>, now: number): boolean {
  return user.status === 'active' && !isExpiredUser(user, now)
}

/** @returns Lower case, with everything but letters, digits, `_` and `-` turned into `-`. */
export function nicenameFrom(login: string): string {
  return login
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50)
}
