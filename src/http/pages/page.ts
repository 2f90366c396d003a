import type { VNode } from 'preact'
import { type ErrorCode, ServiceError } from '../../errors.js'
import { ErrorPage } from '../../views/login.js'
import { type Message, render } from '../../views/page.js'
import type { FailureAnswer } from '../error-handler.js'
import { requestOrigin } from '../request-origin.js'
import type { AppMiddleware, Handler, RequestContext } from '../state.js'
import { LoginRequired, type Visitors } from './visitor.js'

export interface PageDeps {
  visitors: Visitors
  headers: Record<string, string>
  answerFailure: FailureAnswer
}

/** Makes a handler into a page: its headers, and failures as pages too. */
export type PageMaker = (handle: Handler) => AppMiddleware

export function createPageMaker({ visitors, headers, answerFailure }: PageDeps): PageMaker {
  async function showFailure(ctx: RequestContext, thrown: unknown): Promise<void> {
    const { status, headers: failureHeaders } = answerFailure(thrown, failedRequest(ctx))
    // Who is logged in is asked again, for the page's head; not where the database is the trouble.
    const visitor = status < 500 ? await visitors.find(ctx) : undefined
    const context = visitor?.context ?? visitors.anonymous()
    const text = thrown instanceof ServiceError ? readable(thrown) : sorry(status)
    ctx.set(failureHeaders)
    send(ctx, ErrorPage({ context, status, text, requestId: requestOrigin(ctx).requestId }), status)
  }

  return (handle) =>
    async function showPage(ctx) {
      ctx.set(headers)
      try {
        await handle(ctx)
        const { refusal } = ctx.state
        if (refusal) ctx.set(answerFailure(refusal, failedRequest(ctx)).headers)
      } catch (thrown) {
        if (thrown instanceof LoginRequired) redirectToLogin(ctx, thrown)
        else if (isStepUp(thrown)) redirect(ctx, `/profile/confirm?next=${wayBack(ctx)}`)
        else await showFailure(ctx, thrown)
      }
    }
}

function failedRequest(ctx: RequestContext) {
  const { method, path, state } = ctx
  return { method, path, origin: requestOrigin(ctx), user: state.actor?.user }
}

function sorry(status: number): string {
  return status === 503
    ? 'The service cannot reach its database. Try again shortly.'
    : 'Something went wrong on the server.'
}

export function send(ctx: RequestContext, page: VNode, status = 200): void {
  ctx.status = status
  ctx.type = 'html'
  ctx.body = render(page)
}

/** After a form, so that reloading the page sends nothing again. */
export function redirect(
  ctx: RequestContext,
  path: string,
  notice?: Notice,
  about: Record<string, string> = {},
): void {
  const target = new URL(path, 'http://own')
  if (notice) target.searchParams.set('notice', notice)
  for (const [name, value] of Object.entries(about)) target.searchParams.set(name, value)
  ctx.redirect(target.pathname + target.search)
  ctx.status = 303
}

function redirectToLogin(ctx: RequestContext, { hadSession }: LoginRequired): void {
  redirect(ctx, `/login?next=${wayBack(ctx)}`, hadSession ? 'ended' : undefined)
}

/** The page to come back to, to be put into an address; after a form, the one that it stands on. */
function wayBack(ctx: RequestContext): string {
  const [profile] = /^\/users\/\d+\/profile/.exec(ctx.path) ?? []
  const fallback = profile ?? (ctx.path.startsWith('/users') ? '/users' : '/profile')
  return encodeURIComponent(ctx.method === 'GET' ? ctx.url : fallback)
}

function isStepUp(thrown: unknown): boolean {
  return thrown instanceof ServiceError && thrown.code === 'rest_authentication_step_up_required'
}

/** Only addresses of our own pages: anything else would make our log-in a door to other sites. */
export function ownPath(next: unknown): string {
  const home = '/profile'
  if (typeof next !== 'string' || !next.startsWith('/') || !URL.canParse(next, 'http://own')) {
    return home
  }
  const { origin, pathname, search } = new URL(next, 'http://own')
  const isOurs = origin === 'http://own' && /^\/(?:profile|users|audit)(?:\/|$)/.test(pathname)
  return isOurs ? pathname + search : home
}

// The address of a page after a form carries a word of this list, never a text to be shown.
const notices = {
  revoked: 'The key-pair was revoked.',
  revoked_all: 'All key-pairs were revoked.',
  renamed: 'The key-pair was renamed.',
  device_signed_out: 'The device was signed out.',
  user_expiry: 'The expiry of the account was changed.',
  token_revoked: 'The token was revoked.',
  limited: 'The limits of the key-pair were changed.',
  password_changed:
    'Your password was changed. All key-pairs were revoked, and you were signed out everywhere else.',
  password_reset: 'The password was reset, and every key-pair of the user was revoked.',
  session_ended: 'The browser was signed out.',
  sessions_ended: 'All other browsers were signed out.',
  user_created: 'The user was created.',
  user_disabled: 'The user was disabled.',
  user_enabled: 'The user was enabled.',
  confirmed: 'Confirmed. For the next 15 minutes you are not asked again.',
  factor_added: 'The second factor was added.',
  factor_removed: 'The second factor was removed.',
  second_factor_reset: 'The second factor was taken away, and the user was signed out.',
  second_factor_required: 'The user now needs a second factor to mint key-pairs.',
  second_factor_optional: 'The user is not asked to have a second factor any more.',
  login_ended: 'The time to log in is over. Start again.',
  logged_out: 'You are logged out.',
  ended: 'Your session has ended. Log in again to go on.',
} as const

export type Notice = keyof typeof notices

export function noticeOf(ctx: RequestContext): Message | undefined {
  const { notice } = ctx.query
  if (typeof notice !== 'string' || !Object.hasOwn(notices, notice)) return undefined
  const isSad = notice === 'ended' || notice === 'login_ended'
  return { tone: isSad ? 'info' : 'success', text: notices[notice as Notice] }
}

const labels: Record<string, string> = {
  name: 'The name',
  expires_at: 'The expiry',
  networks: 'The networks',
  scopes: 'The scopes',
  require_device: 'The choice about devices',
  description: 'The description',
  password: 'The password',
  new_password: 'The new password',
  user_login: 'The username',
  user_email: 'The e-mail address',
  display_name: 'The display name',
}

/** @returns The failure in a sentence; WordPress's messages name parameters, which nobody sees here. */
export function readable(error: ServiceError): string {
  if (!error.params) return error.message
  return Object.entries(error.params)
    .map(([name, problem]) => `${labels[name] ?? name} ${problem}.`)
    .join(' ')
}

/**
 * Runs what a form asks for; what the person can put right is shown on the form's page again.
 *
 * @param codes Failures that are meant for whoever filled in the form.
 */
export async function orShow<T>(
  work: () => Promise<T>,
  show: (text: string, status: number, error: ServiceError) => Promise<void> | void,
  codes: readonly ErrorCode[],
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ServiceError) || !codes.includes(error.code)) throw error
    await show(readable(error), error.status, error)
    return undefined
  }
}
