import { KeyIcon } from './icons.js'
import { Banner, type Message, Page, type PageContext } from './page.js'

export interface LoginPageProps {
  context: PageContext
  /** Where to go afterwards: a path of ours. */
  next: string
  login?: string
  message?: Message | undefined
  firstRun: 'no_users' | 'nobody_logged_in' | 'over'
}

export function LoginPage({ context, next, login, message, firstRun }: LoginPageProps) {
  return (
    <Page context={context} title="Log In">
      <div class="narrow">
        <section class="card login">
          <div class="login-mark">
            <KeyIcon />
          </div>
          <h1>Log in to Twinkey</h1>
          {message && <Banner message={message} />}
          <form method="post" action="/login" class="stack">
            <input type="hidden" name="next" value={next} />
            <div class="field">
              <label for="user_login">Username</label>
              <input
                id="user_login"
                name="user_login"
                value={login}
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                required
                autofocus={!login}
              />
            </div>
            <div class="field">
              <label for="password">Password</label>
              <input
                id="password"
                name="password"
                type="password"
                autocomplete="current-password"
                required
                autofocus={Boolean(login)}
              />
            </div>
            <button type="submit" class="button primary wide">
              Log In
            </button>
          </form>
          <FirstRunHint firstRun={firstRun} />
        </section>
      </div>
    </Page>
  )
}

function FirstRunHint({ firstRun }: Pick<LoginPageProps, 'firstRun'>) {
  if (firstRun === 'over') return null
  return (
    <aside class="hint" aria-label="First start">
      <strong>First start?</strong>{' '}
      {firstRun === 'no_users' ? (
        <>
          There is no user yet. Create one where the service runs:{' '}
          <code>npx twinkey user create admin --role administrator</code>
        </>
      ) : (
        <>
          The first administrator’s password was printed once, where the service was started. Set
          another with <code>npx twinkey user password admin</code>
        </>
      )}
    </aside>
  )
}

export function LogoutPage({ context }: { context: PageContext }) {
  const { viewer } = context
  return (
    <Page context={context} title="Log Out">
      <div class="narrow">
        <section class="card">
          <h1>Log out?</h1>
          <p>You are logged in as {viewer?.user.login}.</p>
          <form method="post" action="/logout" class="actions">
            <input type="hidden" name="_wpnonce" value={viewer?.nonce} />
            <button type="submit" class="button primary">
              Log Out
            </button>
            <a class="button" href="/profile">
              Stay
            </a>
          </form>
        </section>
      </div>
    </Page>
  )
}

export interface ErrorPageProps {
  context: PageContext
  status: number
  text: string
  /** By which the reason can be looked up. */
  requestId?: string | null | undefined
}

export function ErrorPage({ context, status, text, requestId }: ErrorPageProps) {
  return (
    <Page context={context} title={`Error ${status}`}>
      <div class="narrow">
        <section class="card">
          <p class="eyebrow">Error {status}</p>
          <h1>{text}</h1>
          {requestId && (
            <p class="muted">
              Request <code>{requestId}</code>
            </p>
          )}
          <div class="actions">
            <a class="button primary" href="/profile">
              Back to your profile
            </a>
          </div>
        </section>
      </div>
    </Page>
  )
}
