import { type Role, roles, type User } from '../domain/user.js'
import { CardActions } from './key-pair-cards.js'
import { Nonce, type Viewer } from './page.js'
import { Secret } from './shown-cards.js'

export interface NewUserValues {
  user_login: string
  user_email: string
  display_name: string
  role: Role
}

export interface NewUserCardProps {
  viewer: Viewer
  values?: NewUserValues
  error?: string
}

export function NewUserCard({ viewer, values, error }: NewUserCardProps) {
  return (
    <section class="card" data-dialog="new-user">
      <h2 tabindex={-1}>Add user</h2>
      <form method="post" action="/users" class="stack">
        <Nonce viewer={viewer} />
        <TextField id="new-login" name="user_login" label="Username" value={values?.user_login} />
        <TextField
          id="new-email"
          name="user_email"
          label="E-mail"
          type="email"
          value={values?.user_email}
        />
        <TextField
          id="new-name"
          name="display_name"
          label="Display name"
          value={values?.display_name}
          isOptional
        />
        <div class="field">
          <label for="new-role">Role</label>
          <select id="new-role" name="role">
            {[...roles].reverse().map((role) => (
              <option key={role} value={role} selected={role === (values?.role ?? 'subscriber')}>
                {role}
              </option>
            ))}
          </select>
        </div>
        <NewPasswordField />
        <p class="field-error" role="alert">
          {error}
        </p>
        <CardActions base="/users">
          <button type="submit" class="button primary">
            Add User
          </button>
        </CardActions>
      </form>
    </section>
  )
}

interface TextFieldProps {
  id: string
  name: string
  label: string
  value: string | undefined
  type?: 'text' | 'email'
  isOptional?: boolean
}

function TextField({ id, name, label, value, type = 'text', isOptional = false }: TextFieldProps) {
  return (
    <div class="field">
      <label for={id}>
        {label} {isOptional && <span class="muted">(optional)</span>}
      </label>
      <input
        id={id}
        name={name}
        type={type}
        value={value}
        autocomplete="off"
        autocapitalize="none"
        required={!isOptional}
      />
    </div>
  )
}

function NewPasswordField() {
  return (
    <div class="field">
      <label for="new-user-password">
        Password <span class="muted">(optional)</span>
      </label>
      <input
        id="new-user-password"
        name="password"
        type="password"
        autocomplete="new-password"
        aria-describedby="new-user-password-hint"
      />
      <p class="field-hint" id="new-user-password-hint">
        Leave it empty to have one made up and shown to you once.
      </p>
    </div>
  )
}

export interface AccountCardProps {
  viewer: Viewer
  user: User
  error?: string
}

export function ResetPasswordCard({ viewer, user, error }: AccountCardProps) {
  return (
    <section class="card" data-dialog="reset-password">
      <h2 tabindex={-1}>
        Reset the password of <bdi>{user.login}</bdi>?
      </h2>
      <p>
        This revokes every key-pair of this user, with all of their tokens, and signs them out
        everywhere.
      </p>
      <form method="post" action={`/users/${user.id}/password`} class="stack">
        <Nonce viewer={viewer} />
        <NewPasswordField />
        <p class="field-error" role="alert">
          {error}
        </p>
        <CardActions base="/users">
          <button type="submit" class="button danger solid">
            Reset Password
          </button>
        </CardActions>
      </form>
    </section>
  )
}

export function StatusCard({ viewer, user }: AccountCardProps) {
  const isDisabled = user.status === 'disabled'
  return (
    <section class="card" data-dialog="status">
      <h2 tabindex={-1}>
        {isDisabled ? 'Enable' : 'Disable'} <bdi>{user.login}</bdi>?
      </h2>
      <p>
        {isDisabled
          ? 'The user can log in again, and the key-pairs that were not revoked work again.'
          : 'The user is signed out at once; password, key-pairs and tokens are refused until the account is enabled again.'}
      </p>
      <form method="post" action={`/users/${user.id}/${isDisabled ? 'enable' : 'disable'}`}>
        <Nonce viewer={viewer} />
        <CardActions base="/users">
          <button type="submit" class={isDisabled ? 'button primary' : 'button danger solid'}>
            {isDisabled ? 'Enable' : 'Disable'}
          </button>
        </CardActions>
      </form>
    </section>
  )
}

export function PasswordShownCard({ user, password }: { user: User; password: string }) {
  return (
    <section class="card">
      <h2 tabindex={-1}>
        Password of <bdi>{user.login}</bdi>
      </h2>
      <p>
        <b>It is shown this once.</b> Hand it over where nobody else can read it; the user can
        change it on their profile.
      </p>
      <Secret label="Password" value={password} />
      <div class="actions">
        <a class="button primary" href={`/users/${user.id}/profile`}>
          Open profile
        </a>
        <a class="button" href="/users">
          All users
        </a>
      </div>
    </section>
  )
}
