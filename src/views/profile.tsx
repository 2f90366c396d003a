import type { ComponentChildren } from 'preact'
import { minPasswordLength } from '../domain/password.js'
import type { Session } from '../domain/session.js'
import { isAdministrator, isExpiredUser, type User } from '../domain/user.js'
import { KeyPairSection, type KeyPairSectionProps } from './key-pair-section.js'
import { type Message, Nonce, Page, type PageContext, type Viewer } from './page.js'
import { SecondFactorSection, type SecondFactorSectionProps } from './second-factor-section.js'
import { DialogTemplates } from './shown-cards.js'
import { Time } from './time.js'
import { describeBrowser } from './user-agent.js'

/** A profile as its owner, or an administrator, looks at it. */
export interface Subject {
  user: User
  isSelf: boolean
  /** `/profile`, or `/users/7/profile`. */
  base: string
}

export interface ProfilePageProps {
  context: PageContext & { viewer: Viewer }
  subject: Subject
  keyPairs: Pick<
    KeyPairSectionProps,
    'listing' | 'devices' | 'tokens' | 'filter' | 'choices' | 'formToken'
  > & {
    name?: string
  }
  secondFactor: SecondFactorSectionProps
  sessions: Session[]
  currentSessionId: string
  tokenUrl: string
  message?: Message | undefined
  passwordError?: string | undefined
}

export function ProfilePage(props: ProfilePageProps) {
  const { context, subject, keyPairs, message, tokenUrl } = props
  const { viewer, now } = context
  return (
    <ProfileFrame context={context} subject={subject} message={message}>
      <KeyPairSection
        {...keyPairs}
        viewer={viewer}
        now={now}
        userId={subject.user.id}
        base={subject.base}
      />
      {subject.isSelf && <SecondFactorSection {...props.secondFactor} />}
      {subject.isSelf ? <PasswordSection {...props} /> : <AccountSection {...props} />}
      <SessionSection {...props} />
      <DialogTemplates base={subject.base} tokenUrl={tokenUrl} />
    </ProfileFrame>
  )
}

export interface ProfileFrameProps {
  context: PageContext
  subject: Subject
  message?: Message | undefined
  title?: string
  children: ComponentChildren
}

/** Heading and, on another's profile, the mark that it is another's. */
export function ProfileFrame({ context, subject, message, title, children }: ProfileFrameProps) {
  const { user, isSelf } = subject
  const heading = isSelf ? 'Profile' : `Profile of ${user.displayName}`
  return (
    <Page
      context={context}
      title={title ?? heading}
      section={isSelf ? 'profile' : 'users'}
      message={message}
    >
      {!isSelf && (
        <div class="other" role="note">
          <span>
            You are looking at another user’s profile: <b>{user.login}</b>. What you do here is done
            to their account.
          </span>
          <a href="/users">All users</a>
        </div>
      )}
      <div class="page-head">
        <h1>
          {isSelf ? (
            'Profile'
          ) : (
            <>
              Profile of <bdi>{user.displayName}</bdi>
            </>
          )}
        </h1>
        <p class="muted">
          {user.login} · {user.email} · {user.roles.join(', ')}
          {user.status === 'disabled' && <span class="badge danger">Disabled</span>}
          {isExpiredUser(user, context.now) && <span class="badge danger">Expired</span>}
        </p>
      </div>
      {children}
    </Page>
  )
}

function PasswordSection({ context, keyPairs, passwordError }: ProfilePageProps) {
  const { active } = keyPairs.listing.summary
  const count = active === 1 ? 'your key-pair' : `all of your ${active} key-pairs`
  return (
    <section class="card" id="password" aria-labelledby="password-heading">
      <div class="card-head">
        <h2 id="password-heading">Password</h2>
      </div>
      <p class="lead" id="password-warning">
        Changing your password <b>revokes {active === 0 ? 'every key-pair' : count}</b>, with all of
        their tokens, and signs you out everywhere else.
      </p>
      <form method="post" action="/profile/password" class="stack form-column">
        <Nonce viewer={context.viewer} />
        {/* Tells password managers whose password this is. */}
        <input
          name="username"
          value={context.viewer.user.login}
          autocomplete="username"
          hidden
          readonly
        />
        <PasswordField id="old_password" label="Current password" autocomplete="current-password" />
        <PasswordField
          id="new_password"
          label="New password"
          autocomplete="new-password"
          hint={`At least ${minPasswordLength} characters.`}
        />
        <PasswordField
          id="repeat_password"
          label="Repeat new password"
          autocomplete="new-password"
        />
        <p class="field-error" role="alert">
          {passwordError}
        </p>
        <div class="actions">
          <button type="submit" class="button">
            Change Password
          </button>
        </div>
      </form>
    </section>
  )
}

interface PasswordFieldProps {
  id: string
  label: string
  autocomplete: 'current-password' | 'new-password'
  hint?: string
}

function PasswordField({ id, label, autocomplete, hint }: PasswordFieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={id}
        type="password"
        autocomplete={autocomplete}
        required
        aria-describedby={hint ? `${id}-hint` : undefined}
      />
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

function AccountSection({ context, subject }: ProfilePageProps) {
  const { user } = subject
  const { viewer, now } = context
  const base = `/users/${user.id}`
  const isDisabled = user.status === 'disabled'
  return (
    <section class="card" id="account" aria-labelledby="account-heading">
      <div class="card-head">
        <h2 id="account-heading">Account</h2>
      </div>
      <p class="lead">
        {isDisabled
          ? 'This account is disabled: its password, sessions, key-pairs and tokens are refused until it is enabled again.'
          : 'Resetting the password revokes every key-pair of this user and signs them out. Disabling the account refuses its password, key-pairs and tokens until it is enabled again.'}
        {isAdministrator(user) && ' This user is an administrator.'}
      </p>
      <form method="post" action={`${base}/expiry`} class="add" id="expiry">
        <Nonce viewer={viewer} />
        <label for="account-expires-at">Account expires</label>
        <div class="add-row">
          <input
            id="account-expires-at"
            name="expires_at"
            type="date"
            value={user.expiresAt === null ? '' : isoDay(user.expiresAt)}
            aria-describedby="account-expires-at-hint"
          />
          <button type="submit" class="button">
            Save Expiry
          </button>
        </div>
        <p class="note" id="account-expires-at-hint">
          {user.expiresAt === null ? (
            'The account does not expire. From the beginning of the day (UTC) it is refused, tokens and all.'
          ) : (
            <>
              The account {user.expiresAt <= now ? 'expired' : 'expires'}{' '}
              <Time at={user.expiresAt} now={now} />. Leave empty for never.
            </>
          )}
        </p>
      </form>
      <div class="actions">
        <form method="get" action={`${base}/password`} data-card>
          <button type="submit" class="button" id="reset-password">
            Reset Password
          </button>
        </form>
        <form method="get" action={`${base}/${isDisabled ? 'enable' : 'disable'}`} data-card>
          <button type="submit" class={isDisabled ? 'button' : 'button danger'} id="set-status">
            {isDisabled ? 'Enable' : 'Disable'}
          </button>
        </form>
        <form method="get" action={`${base}/second-factor`} data-card>
          <button type="submit" class="button" id="their-second-factor">
            Second Factor
          </button>
        </form>
      </div>
    </section>
  )
}

function isoDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}

function describeOthers(count: number): string {
  return count === 0
    ? 'This user is not logged in anywhere.'
    : 'Browsers in which this user is logged in.'
}

function SessionSection({ context, subject, sessions, currentSessionId }: ProfilePageProps) {
  const { viewer, now } = context
  const { base, isSelf } = subject
  const others = sessions.filter((session) => session.id !== currentSessionId)
  return (
    <section class="card" id="sessions" aria-labelledby="sessions-heading">
      <div class="card-head">
        <h2 id="sessions-heading">Sessions</h2>
        {others.length > 0 && (
          <form method="post" action={`${base}/sessions/end-others`}>
            <Nonce viewer={viewer} />
            <button type="submit" class="button small">
              {isSelf ? 'Sign Out All Others' : 'Sign Out Everywhere'}
            </button>
          </form>
        )}
      </div>
      <p class="lead">
        {isSelf ? 'Browsers in which you are logged in.' : describeOthers(sessions.length)}
      </p>
      <ul class="sessions">
        {sessions.map((session) => (
          <li key={session.id}>
            <div>
              <span class="session-name" title={session.userAgent ?? undefined}>
                {describeBrowser(session.userAgent)}
              </span>{' '}
              {session.id === currentSessionId && <span class="badge success">This browser</span>}
              <p class="muted">
                {session.ip !== null && <>{session.ip} · </>}
                logged in <Time at={session.createdAt} now={now} />
              </p>
            </div>
            {session.id !== currentSessionId && (
              <form method="post" action={`${base}/sessions/end`}>
                <Nonce viewer={viewer} />
                <input type="hidden" name="session" value={session.id} />
                <button type="submit" class="button small">
                  Sign Out
                </button>
              </form>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
