import Router from '@koa/router'
import { z } from 'zod'
import type { Services } from '../../services/index.js'
import { LoginPage, LogoutPage } from '../../views/login.js'
import type { Message } from '../../views/page.js'
import { readBody } from '../body.js'
import { assertSameOrigin } from '../guards/same-origin.js'
import { readParams, text } from '../params.js'
import { requestOrigin } from '../request-origin.js'
import { createPendingCookie, type SessionCookie } from '../session-cookie.js'
import type { AppMiddleware, AppRouter, RequestContext, RequestState } from '../state.js'
import { noticeOf, orShow, ownPath, type PageMaker, redirect, send } from './page.js'
import type { Visitors } from './visitor.js'

const credentials = z.object({ user_login: text, password: text })

export interface LoginPagesDeps {
  services: Services
  cookie: SessionCookie
  visitors: Visitors
  page: PageMaker
  publicUrl: string
}

/** Logging in and out with a page. Scripts that post to the same addresses get JSON, as ever. */
export function loginPages(deps: LoginPagesDeps): AppRouter {
  const { services, cookie, visitors, page, publicUrl } = deps
  const { sessions, userAdministration } = services
  const pending = createPendingCookie({ publicUrl })
  const router = new Router<RequestState>({ sensitive: true })

  async function showForm(
    ctx: RequestContext,
    form: { next: string; login?: string; message?: Message | undefined; status?: number },
  ): Promise<void> {
    const firstRun = await userAdministration.firstRun()
    const { status = 200, ...props } = form
    send(ctx, LoginPage({ context: visitors.anonymous(), firstRun, ...props }), status)
  }

  router.get(
    '/login',
    page(async function showLogin(ctx) {
      const next = ownPath(ctx.query.next)
      if (await visitors.find(ctx)) return redirect(ctx, next)
      return showForm(ctx, { next, message: noticeOf(ctx) })
    }),
  )

  router.post(
    '/login',
    forBrowsers(
      page(async function logIn(ctx) {
        assertSameOrigin(ctx, publicUrl)
        const fields = await readBody(ctx)
        const next = ownPath(fields.next)
        const login = typeof fields.user_login === 'string' ? fields.user_login.trim() : ''
        const session = await orShow(
          async () => {
            const { password } = readParams(credentials, fields)
            return sessions.begin(login, password, requestOrigin(ctx))
          },
          (message, status, error) => {
            ctx.state.refusal = error
            return showForm(ctx, { next, login, message: failure(message), status })
          },
          [
            'incorrect_password',
            'rest_authentication_disabled_user',
            'rest_authentication_expired_user',
            'rest_too_many_attempts',
          ],
        )
        if (!session) return
        // Now that somebody has logged in, this remembers that the first start is over.
        await userAdministration.firstRun()
        if ('pendingToken' in session) {
          pending.write(ctx, session.pendingToken, session.expiresAt)
          return redirect(ctx, `/login/second-factor?next=${encodeURIComponent(next)}`)
        }
        cookie.write(ctx, session.token, session.expiresAt)
        redirect(ctx, next)
      }),
    ),
  )

  router.get(
    '/logout',
    page(async function showLogout(ctx) {
      const visitor = await visitors.find(ctx)
      if (!visitor) return redirect(ctx, '/login')
      return send(ctx, LogoutPage({ context: visitor.context }))
    }),
  )

  router.post(
    '/logout',
    forBrowsers(
      page(async function logOut(ctx) {
        if (await visitors.find(ctx)) {
          const { visitor } = await visitors.readForm(ctx)
          await sessions.logOut(visitor.token)
        }
        cookie.clear(ctx)
        redirect(ctx, '/login', 'logged_out')
      }),
    ),
  )

  return router
}

const failure = (text: string): Message => ({ tone: 'error', text })

/** A browser that sends a form asks for HTML before anything; what asks for anything gets JSON. */
function forBrowsers(handle: AppMiddleware): AppMiddleware {
  return function chooseAnswer(ctx, next) {
    return ctx.accepts('json', 'html') === 'html' ? handle(ctx, next) : next()
  }
}
