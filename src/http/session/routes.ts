import Router from '@koa/router'
import { z } from 'zod'
import { matchesNonce, nonceOf } from '../../domain/session.js'
import { ServiceError } from '../../errors.js'
import type { SessionService } from '../../services/sessions.js'
import { readBody } from '../body.js'
import { clientAddress } from '../client-address.js'
import { assertSameOrigin } from '../guards/same-origin.js'
import { readParams, text } from '../params.js'
import type { SessionCookie } from '../session-cookie.js'
import type { AppRouter, RequestState } from '../state.js'
import { presentUser } from '../wp/present.js'

/** What logging in needs. */
export const credentials = z.object({
  user_login: text.describe('The login, or the e-mail address.'),
  password: text,
})

export interface SessionRoutesDeps {
  sessions: SessionService
  cookie: SessionCookie
  publicUrl: string
}

/** Logging in and out with a browser, or with a script that keeps cookies. */
export function sessionRouter({ sessions, cookie, publicUrl }: SessionRoutesDeps): AppRouter {
  const router = new Router<RequestState>({ sensitive: true })

  router.post('/login', async function logIn(ctx) {
    assertSameOrigin(ctx, publicUrl)
    const { user_login, password } = readParams(credentials, await readBody(ctx))
    const session = await sessions.logIn(user_login.trim(), password, {
      ip: clientAddress(ctx),
      userAgent: ctx.get('User-Agent') || null,
    })
    cookie.write(ctx, session.token, session.expiresAt)
    ctx.body = { user: presentUser(session.user, publicUrl, 'edit'), nonce: session.nonce }
  })

  router.post('/logout', async function logOut(ctx) {
    assertSameOrigin(ctx, publicUrl)
    const token = cookie.read(ctx)
    const nonce = ctx.get('X-WP-Nonce')
    if (token && nonce !== '' && !matchesNonce(token, nonce)) {
      throw new ServiceError('rest_cookie_invalid_nonce')
    }
    if (token) await sessions.logOut(token)
    cookie.clear(ctx)
    ctx.body = { logged_out: true }
  })

  router.get('/session', async function showSession(ctx) {
    const token = cookie.read(ctx)
    const actor = token ? await sessions.find(token) : undefined
    if (!token || !actor) throw new ServiceError('rest_not_logged_in')
    ctx.body = { user: presentUser(actor.user, publicUrl, 'edit'), nonce: nonceOf(token) }
  })

  return router
}
