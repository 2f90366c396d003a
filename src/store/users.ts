import type { Knex } from 'knex'
import type { Role, User, UserStatus } from '../domain/user.js'
import { isAsciiValue } from './ascii.js'
import { contains } from './contains.js'
import { isDuplicate } from './duplicate.js'

export interface UserRow {
  id: number
  user_login: string
  user_email: string
  user_nicename: string
  display_name: string
  first_name: string
  last_name: string
  roles: string
  status: string
  password_hash: string
  created_at: number
  /** `users.expires_at`, which others have, too. */
  user_expires_at: number | null
}

export interface NewUser extends Omit<User, 'id'> {
  passwordHash: string
}

export interface UserPage {
  /** Part of a login, e-mail or display name. */
  search?: string
  offset: number
  limit: number
}

export interface UserStore {
  /** @returns The new user, or which of its unique fields is taken. */
  insert(user: NewUser): Promise<User | 'login_taken' | 'email_taken'>
  findById(id: number): Promise<User | undefined>
  findByLogin(login: string): Promise<User | undefined>
  /** Finds by login or e-mail, as WordPress's log-in form does. */
  findCredentials(loginOrEmail: string): Promise<{ user: User; passwordHash: string } | undefined>
  /**
   * Reads a user and keeps others from changing it until the transaction ends. Whatever must not
   * happen beside a change of password or status starts with this.
   */
  lock(id: number): Promise<{ user: User; passwordHash: string } | undefined>
  /** Like `lock`, but others may hold the user too, as long as nobody wants to change it. */
  lockShared(id: number): Promise<User | undefined>
  list(page: UserPage): Promise<{ users: User[]; total: number }>
  updateExpiry(id: number, expiresAt: number | null): Promise<boolean>
  /** Reads the ids of all active administrators and keeps them as they are, like `lock`. */
  lockActiveAdministrators(): Promise<number[]>
  isEmpty(): Promise<boolean>
  updatePassword(id: number, passwordHash: string): Promise<boolean>
  updateStatus(id: number, status: UserStatus): Promise<boolean>
  /** Deletes the user with all key-pairs and sessions. Ids are never given out again. */
  delete(id: number): Promise<boolean>
}

/** The columns of a user that may leave the store: all but the password hash. */
export const userColumns: string[] = [
  'users.id',
  'users.user_login',
  'users.user_email',
  'users.user_nicename',
  'users.display_name',
  'users.first_name',
  'users.last_name',
  'users.roles',
  'users.status',
  'users.created_at',
  'users.expires_at as user_expires_at',
]

export function userFromRow(row: Omit<UserRow, 'password_hash'>): User {
  return {
    id: row.id,
    login: row.user_login,
    email: row.user_email,
    nicename: row.user_nicename,
    displayName: row.display_name,
    firstName: row.first_name,
    lastName: row.last_name,
    roles: row.roles.split(',') as Role[],
    status: row.status as UserStatus,
    createdAt: Number(row.created_at),
    expiresAt: row.user_expires_at === null ? null : Number(row.user_expires_at),
  }
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createUserStore(db: Knex): UserStore {
  const users = () => db<UserRow & { expires_at: number | null }>('users')
  return {
    async insert({ passwordHash, ...user }) {
      const row = {
        user_login: user.login,
        user_email: user.email,
        user_nicename: user.nicename,
        display_name: user.displayName,
        first_name: user.firstName,
        last_name: user.lastName,
        roles: user.roles.join(','),
        status: user.status,
        password_hash: passwordHash,
        created_at: user.createdAt,
        expires_at: user.expiresAt,
      }
      try {
        const [id = 0] = await users().insert(row)
        return { ...user, id }
      } catch (error) {
        if (!isDuplicate(error)) throw error
        return (await users().where({ user_login: user.login }).first('id'))
          ? 'login_taken'
          : 'email_taken'
      }
    },

    async findById(id) {
      const row = await users()
        .where({ id })
        .first(...userColumns)
      return row && userFromRow(row)
    },

    async findByLogin(login) {
      if (!isAsciiValue(login)) return undefined
      const row = await users()
        .where({ user_login: login })
        .first(...userColumns)
      return row && userFromRow(row)
    },

    async findCredentials(loginOrEmail) {
      if (!isAsciiValue(loginOrEmail)) return undefined
      const column = loginOrEmail.includes('@') ? ['user_login', 'user_email'] : ['user_login']
      for (const name of column) {
        const row = await users()
          .where(name, loginOrEmail)
          .first(...userColumns, 'password_hash')
        if (row) return { user: userFromRow(row), passwordHash: row.password_hash }
      }
      return undefined
    },

    // SQLite needs no row lock (knex leaves it out): its write transactions run one at a time.
    async lock(id) {
      const row = await users()
        .where({ id })
        .forUpdate()
        .first(...userColumns, 'password_hash')
      return row && { user: userFromRow(row), passwordHash: row.password_hash }
    },

    async lockShared(id) {
      const row = await users()
        .where({ id })
        .forShare()
        .first(...userColumns)
      return row && userFromRow(row)
    },

    async list({ search, offset, limit }) {
      const matching = () => {
        const query = users()
        if (!search) return query
        const columns = ['user_login', 'user_email', 'display_name']
        return query.where((where) => contains(where, columns, search))
      }
      const rows = await matching()
        .orderBy('id')
        .offset(offset)
        .limit(limit)
        .select(...userColumns)
      const [{ total } = { total: 0 }] = await matching().count({ total: '*' })
      return { users: rows.map(userFromRow), total: Number(total) }
    },

    async lockActiveAdministrators() {
      const rows = await users()
        .where({ status: 'active' })
        .where('roles', 'like', '%administrator%')
        .orderBy('id')
        .forUpdate()
        .select('id')
      return rows.map((row) => row.id)
    },

    async isEmpty() {
      return (await users().first('id')) === undefined
    },

    async updatePassword(id, passwordHash) {
      return (await users().where({ id }).update({ password_hash: passwordHash })) > 0
    },

    async updateStatus(id, status) {
      return (await users().where({ id }).update({ status })) > 0
    },

    async updateExpiry(id, expiresAt) {
      return (await users().where({ id }).update({ expires_at: expiresAt })) > 0
    },

    async delete(id) {
      return (await users().where({ id }).delete()) > 0
    },
  }
}
