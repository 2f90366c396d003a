import { isExpiredUser, type User } from '../domain/user.js'
import { PageLink } from './key-pair-section.js'
import { type Message, Page, type PageContext, type Viewer } from './page.js'
import { Time } from './time.js'

export interface UsersPageProps {
  context: PageContext & { viewer: Viewer }
  users: User[]
  total: number
  search: string
  /** From 1. */
  page: number
  perPage: number
  message?: Message | undefined
}

export function UsersPage(props: UsersPageProps) {
  const { context, users, total, search, message } = props
  return (
    <Page context={context} title="Users" section="users" message={message}>
      <div class="page-head">
        <h1>Users</h1>
      </div>
      <section class="card" id="users" aria-labelledby="users-heading">
        <div class="card-head">
          <h2 id="users-heading" tabindex={-1}>
            {search === '' ? 'All users' : 'Users found'} <span class="muted">{total}</span>
          </h2>
          <form method="get" action="/users/new" data-card>
            <button type="submit" class="button small primary" id="add-user">
              Add User
            </button>
          </form>
        </div>
        <div class="toolbar">
          <search>
            <form class="filter" method="get" action="/users" data-filter>
              <label class="visually-hidden" for="filter">
                Search users
              </label>
              <input
                id="filter"
                type="search"
                name="q"
                value={search}
                placeholder="Search by username, name or e-mail"
                autocomplete="off"
                spellcheck={false}
              />
              <button type="submit" class="button small no-js">
                Search
              </button>
            </form>
          </search>
        </div>
        {users.length === 0 ? (
          <div class="empty">
            <p class="empty-title">No user matches “{search}”.</p>
            <p>
              <a href="/users" data-swap>
                Show all
              </a>
            </p>
          </div>
        ) : (
          <UserTable {...props} />
        )}
        <UserPaging {...props} />
      </section>
    </Page>
  )
}

function UserTable({ context, users }: UsersPageProps) {
  const { viewer, now } = context
  return (
    <table class="pairs users" aria-labelledby="users-heading">
      <thead>
        <tr>
          <th scope="col">Username</th>
          <th scope="col">E-mail</th>
          <th scope="col">Role</th>
          <th scope="col">Created</th>
          <th scope="col">Status</th>
          <th scope="col">Actions</th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <UserRow key={user.id} user={user} isSelf={user.id === viewer.user.id} now={now} />
        ))}
      </tbody>
    </table>
  )
}

function UserRow({ user, isSelf, now }: { user: User; isSelf: boolean; now: number }) {
  const base = `/users/${user.id}`
  const nameId = `user-${user.id}`
  const isDisabled = user.status === 'disabled'
  return (
    <tr class={isDisabled ? 'is-revoked' : undefined}>
      <th scope="row" class="cell-name" data-label="Username">
        <div class="name-line">
          <a class="pair-name" id={nameId} href={isSelf ? '/profile' : `${base}/profile`}>
            {user.login}
          </a>
          {isSelf && <span class="badge">You</span>}
        </div>
        {user.displayName !== user.login && (
          <p class="muted">
            <bdi>{user.displayName}</bdi>
          </p>
        )}
      </th>
      <td class="cell-wide" data-label="E-mail">
        {user.email}
      </td>
      <td data-label="Role">{user.roles.join(', ')}</td>
      <td data-label="Created">
        <Time at={user.createdAt} now={now} />
      </td>
      <td data-label="Status">
        {isDisabled ? (
          <span class="badge danger">Disabled</span>
        ) : isExpiredUser(user, now) ? (
          <span class="badge danger">Expired</span>
        ) : (
          'Active'
        )}
        {user.expiresAt !== null && user.expiresAt > now && (
          <p class="muted">
            expires <Time at={user.expiresAt} now={now} />
          </p>
        )}
      </td>
      <td class="cell-action" data-label="Actions">
        {!isSelf && (
          <div class="row-actions">
            <form method="get" action={`${base}/password`} data-card>
              <button
                type="submit"
                class="button small"
                id={`password-${user.id}`}
                aria-describedby={nameId}
              >
                Reset Password
              </button>
            </form>
            <form method="get" action={`${base}/${isDisabled ? 'enable' : 'disable'}`} data-card>
              <button
                type="submit"
                class={isDisabled ? 'button small' : 'button small danger'}
                id={`status-${user.id}`}
                aria-describedby={nameId}
              >
                {isDisabled ? 'Enable' : 'Disable'}
              </button>
            </form>
          </div>
        )}
      </td>
    </tr>
  )
}

function UserPaging({ search, page, perPage, total }: UsersPageProps) {
  const pages = Math.ceil(total / perPage)
  if (pages <= 1) return null
  const addressOf = (to: number) => {
    const query = new URLSearchParams()
    if (search !== '') query.set('q', search)
    if (to > 1) query.set('page', String(to))
    return `/users?${query}`
  }
  return (
    <nav class="paging" aria-label="Pages of users">
      <PageLink href={addressOf(page - 1)} isOn={page > 1}>
        Previous
      </PageLink>
      <span>
        Page {page} of {pages}
      </span>
      <PageLink href={addressOf(page + 1)} isOn={page < pages}>
        Next
      </PageLink>
    </nav>
  )
}
