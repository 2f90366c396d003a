import Router from '@koa/router'
import { z } from 'zod'
import { stepUpLifetime } from '../../domain/second-factor.js'
import { matchesNonce, nonceOf } from '../../domain/session.js'
import { missingParameters, ServiceError } from '../../errors.js'
import type { PasskeyService } from '../../services/passkeys.js'
import type { Proof, SecondFactorService } from '../../services/second-factors.js'
import type { SessionService } from '../../services/sessions.js'
import { readBody } from '../body.js'
import type { Authenticator } from '../guards/authenticate.js'
import { assertSameOrigin } from '../guards/same-origin.js'
import { readParams, text } from '../params.js'
import { requestOrigin } from '../request-origin.js'
import type { SessionCookie } from '../session-cookie.js'
import type { AppRouter, RequestContext, RequestState } from '../state.js'
import { presentUser } from '../wp/present.js'

const otp = text.describe("Six digits of the user's authenticator app, or a recovery code.")

/** What logging in needs. */
export const credentials = z.object({
  user_login: text.describe('The login, or the e-mail address.'),
  password: text,
  otp: otp.optional(),
})

/** What proves the second factor. */
export const proofArgs = z.object({
  otp: otp.optional(),
  passkey: text.optional().describe("Instead: a passkey's answer to a challenge, as JSON."),
})

/** @throws {ServiceError} `rest_missing_callback_param`, `rest_invalid_param`. */
export function readProof(fields: Record<string, unknown>): Proof {
  const { otp, passkey } = readParams(proofArgs, fields)
  if (passkey) return { passkey }
  if (otp) return { otp }
  throw missingParameters(['otp'])
}

export interface SessionRoutesDeps {
  sessions: SessionService
  secondFactors: SecondFactorService
  passkeys: PasskeyService
  authenticator: Authenticator
  cookie: SessionCookie
  publicUrl: string
}

/** Logging in and out with a browser, or with a script that keeps cookies. */
export function sessionRouter(deps: SessionRoutesDeps): AppRouter {
  const { sessions, secondFactors, passkeys, authenticator, cookie, publicUrl } = deps
  const router = new Router<RequestState>({ sensitive: true })

  async function requirePerson(ctx: RequestContext) {
    assertSameOrigin(ctx, publicUrl)
    const actor = await authenticator.person(ctx)
    if (!actor) throw new ServiceError('rest_not_logged_in')
    return actor
  }

  router.post('/login', async function logIn(ctx) {
    assertSameOrigin(ctx, publicUrl)
    const { user_login, password, otp } = readParams(credentials, await readBody(ctx))
    const browser = requestOrigin(ctx)
    const session = await sessions.logIn(user_login.trim(), password, browser, otp || undefined)
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
    if (token) await sessions.logOut(token, requestOrigin(ctx))
    cookie.clear(ctx)
    ctx.body = { logged_out: true }
  })

  router.get('/session', async function showSession(ctx) {
    const token = cookie.read(ctx)
    const actor = token ? await sessions.find(token) : undefined
    if (!token || !actor) throw new ServiceError('rest_not_logged_in')
    ctx.body = { user: presentUser(actor.user, publicUrl, 'edit'), nonce: nonceOf(token) }
  })

  router.post('/session/second-factor', async function stepUp(ctx) {
    const actor = await requirePerson(ctx)
    const proof = readProof(await readBody(ctx))
    const at = await secondFactors.stepUp(actor, proof, requestOrigin(ctx).ip)
    ctx.body = { proven: true, expires_at: at + stepUpLifetime }
  })

  router.post('/session/second-factor/challenge', async function challengePasskey(ctx) {
    const actor = await requirePerson(ctx)
    ctx.body = await passkeys.proofs.challenge(actor.user.id, actor.sessionId)
  })

  return router
}
