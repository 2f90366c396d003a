import Router from '@koa/router'
import { operator } from '../../domain/actor.js'
import { ServiceError } from '../../errors.js'
import { ConfirmCard, SecondStepPage } from '../../views/second-step.js'
import { ProfileFrame } from '../../views/profile.js'
import { readBody } from '../body.js'
import { assertSameOrigin } from '../guards/same-origin.js'
import { createPendingCookie } from '../session-cookie.js'
import { readProof } from '../session/routes.js'
import { requestOrigin } from '../request-origin.js'
import type { AppRouter, RequestContext, RequestState } from '../state.js'
import type { LoginPagesDeps } from './login.js'
import { narrow } from './narrow.js'
import { orShow, ownPath, redirect, send } from './page.js'
import type { Visitor } from './visitor.js'

/** What whoever fills in the form can put right. */
const codes = [
  'rest_authentication_invalid_second_factor',
  'rest_missing_callback_param',
  'rest_too_many_attempts',
] as const

/** The second factor: between the password and the session, and again in the midst of one. */
export function secondStepPages(deps: LoginPagesDeps): AppRouter {
  const { services, cookie, visitors, page, publicUrl } = deps
  const { sessions, secondFactors, passkeys } = services
  const pending = createPendingCookie({ publicUrl })
  const router = new Router<RequestState>({ sensitive: true })

  async function findPending(ctx: RequestContext) {
    const token = pending.read(ctx)
    const found = token ? await sessions.findPending(token) : undefined
    return token && found ? { ...found, token } : undefined
  }

  async function showStep(
    ctx: RequestContext,
    { user, factors, next }: Awaited<ReturnType<typeof readStep>>,
    error?: string,
    status = 200,
  ) {
    const context = visitors.anonymous()
    send(ctx, SecondStepPage({ context, login: user.login, factors, next, error }), status)
  }

  async function readStep(found: { user: { id: number; login: string } }, next: string) {
    const factors = await secondFactors.view(operator, found.user.id)
    return { user: found.user, factors, next }
  }

  router.get(
    '/login/second-factor',
    page(async function askSecondFactor(ctx) {
      const found = await findPending(ctx)
      const next = ownPath(ctx.query.next)
      if (!found) return redirect(ctx, `/login?next=${encodeURIComponent(next)}`)
      return showStep(ctx, await readStep(found, next))
    }),
  )

  router.post(
    '/login/second-factor',
    page(async function takeSecondFactor(ctx) {
      assertSameOrigin(ctx, publicUrl)
      const fields = await readBody(ctx)
      const next = ownPath(fields.next)
      const found = await findPending(ctx)
      const start = `/login?next=${encodeURIComponent(next)}`
      if (!found) return redirect(ctx, start, 'login_ended')
      const session = await orShow(
        async () => sessions.complete(found.token, readProof(fields), requestOrigin(ctx)),
        async (text, status, error) => {
          // The password that this log-in began with has been changed meanwhile.
          if (error.code === 'rest_login_ended' || error.code === 'incorrect_password') {
            return redirect(ctx, start, 'login_ended')
          }
          ctx.state.refusal = error
          return showStep(ctx, await readStep(found, next), text, status)
        },
        [...codes, 'rest_login_ended', 'incorrect_password'],
      )
      if (!session) return
      pending.clear(ctx)
      cookie.write(ctx, session.token, session.expiresAt)
      redirect(ctx, next)
    }),
  )

  router.post('/login/second-factor/challenge', async function challengePasskey(ctx) {
    assertSameOrigin(ctx, publicUrl)
    const found = await findPending(ctx)
    if (!found) throw new ServiceError('rest_login_ended')
    ctx.body = await passkeys.proofs.challenge(found.user.id, found.id)
  })

  async function showConfirm(
    ctx: RequestContext,
    { actor, context }: Visitor,
    next: string,
    error?: string,
    status = 200,
  ): Promise<void> {
    const { user } = actor
    const factors = await secondFactors.view(actor, user.id)
    const card = ConfirmCard({ viewer: context.viewer, factors, next, error })
    const subject = { user, isSelf: true, base: '/profile' }
    const children = narrow(card)
    send(ctx, ProfileFrame({ context, subject, title: 'Confirm', children }), status)
  }

  router.get(
    '/profile/confirm',
    page(async function askConfirmation(ctx) {
      await showConfirm(ctx, await visitors.require(ctx), ownPath(ctx.query.next))
    }),
  )

  router.post(
    '/profile/confirm',
    page(async function confirm(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const next = ownPath(fields.next)
      const at = await orShow(
        async () => secondFactors.stepUp(visitor.actor, readProof(fields), requestOrigin(ctx).ip),
        async (text, status, error) => {
          ctx.state.refusal = error
          await showConfirm(ctx, visitor, next, text, status)
        },
        codes,
      )
      if (at !== undefined) redirect(ctx, next, 'confirmed')
    }),
  )

  return router
}
