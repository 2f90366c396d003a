import { create } from 'qrcode'
import { hasSecondFactor } from '../../domain/second-factor.js'
import { ServiceError } from '../../errors.js'
import type { TotpOffer } from '../../services/second-factors.js'
import {
  AddPasskeyCard,
  AddTotpCard,
  NewCodesCard,
  RecoveryCodesCard,
  RemoveFactorCard,
  type QrPicture,
  TotpOfferCard,
} from '../../views/second-factor-cards.js'
import { ProfileFrame } from '../../views/profile.js'
import { requestOrigin } from '../request-origin.js'
import type { AppRouter, RequestContext } from '../state.js'
import { narrow } from './narrow.js'
import { orShow, redirect, send } from './page.js'
import type { ProfilePagesDeps } from './profile.js'
import { LoginRequired, type Visitor } from './visitor.js'

const base = '/profile/second-factor'

/** Failures that the person who adds a second factor can do something about. */
const addingFailures = [
  'rest_user_incorrect_password',
  'rest_too_many_attempts',
  'rest_second_factor_exists',
  'rest_passkey_refused',
  'rest_passkeys_unavailable',
  'rest_invalid_param',
] as const

/** Setting up, renewing and removing one's own second factors. */
export function secondFactorPages(deps: ProfilePagesDeps, router: AppRouter): void {
  const { services, visitors, page, publicUrl } = deps
  const { secondFactors, passkeys } = services

  function show(
    ctx: RequestContext,
    { actor, context }: Visitor,
    card: ReturnType<typeof narrow>,
    status = 200,
  ): void {
    const subject = { user: actor.user, isSelf: true, base: '/profile' }
    send(ctx, ProfileFrame({ context, subject, title: 'Second factor', children: card }), status)
  }

  function showCodes(ctx: RequestContext, visitor: Visitor, codes: readonly string[]): void {
    const card = RecoveryCodesCard({ codes, host: new URL(publicUrl).host })
    show(ctx, visitor, narrow(card))
  }

  /** @returns Whether the password is asked for. @throws {ServiceError} step-up, if it is not. */
  async function readNeed({ actor }: Visitor): Promise<boolean> {
    if (!hasSecondFactor(await secondFactors.view(actor, actor.user.id))) return true
    await secondFactors.assertSteppedUp(actor)
    return false
  }

  function showOffer(
    ctx: RequestContext,
    visitor: Visitor,
    { secret, uri }: TotpOffer,
    error?: string,
    status = 200,
  ): void {
    const { viewer } = visitor.context
    const card = TotpOfferCard({ viewer, secret, qr: drawQr(uri), error })
    show(ctx, visitor, narrow(card), status)
  }

  router.get(
    `${base}/totp`,
    page(async function askTotp(ctx) {
      const visitor = await visitors.require(ctx)
      const needsPassword = await readNeed(visitor)
      const card = AddTotpCard({ viewer: visitor.context.viewer, needsPassword })
      show(ctx, visitor, narrow(card))
    }),
  )

  router.post(
    `${base}/totp`,
    page(async function offerTotp(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const offer = await orShow(
        () =>
          secondFactors.offerTotp(
            visitor.actor,
            String(fields.password ?? ''),
            requestOrigin(ctx).ip,
          ),
        (text, status, error) => {
          ctx.state.refusal = error
          const { viewer } = visitor.context
          const needsPassword = error.code !== 'rest_second_factor_exists'
          show(ctx, visitor, narrow(AddTotpCard({ viewer, needsPassword, error: text })), status)
        },
        addingFailures,
      )
      if (offer) showOffer(ctx, visitor, offer)
    }),
  )

  router.post(
    `${base}/totp/confirm`,
    page(async function confirmTotp(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const { actor } = visitor
      const secret = String(fields.secret ?? '')
      const done = await orShow(
        async () => ({
          codes: await secondFactors.confirmTotp(
            actor,
            secret,
            String(fields.code ?? ''),
            requestOrigin(ctx).ip,
          ),
        }),
        async (text, status, error) => {
          ctx.state.refusal = error
          showOffer(ctx, visitor, await secondFactors.repeatOffer(actor, secret), text, status)
        },
        ['rest_authentication_invalid_second_factor', 'rest_too_many_attempts'],
      )
      if (!done) return
      if (done.codes) showCodes(ctx, visitor, done.codes)
      else redirect(ctx, '/profile', 'factor_added')
    }),
  )

  router.get(
    `${base}/passkeys`,
    page(async function askPasskey(ctx) {
      const visitor = await visitors.require(ctx)
      const needsPassword = await readNeed(visitor)
      const card = AddPasskeyCard({ viewer: visitor.context.viewer, needsPassword })
      show(ctx, visitor, narrow(card))
    }),
  )

  // For the script, which hands the answer to the browser: failures are JSON.
  router.post(`${base}/passkeys/challenge`, async function invitePasskey(ctx) {
    const { visitor, fields } = await visitors.readForm(ctx).catch((error: unknown) => {
      throw error instanceof LoginRequired ? new ServiceError('rest_not_logged_in') : error
    })
    const password = String(fields.password ?? '')
    await secondFactors.assertMayAdd(visitor.actor, password, requestOrigin(ctx).ip)
    ctx.body = await passkeys.invite(visitor.actor)
  })

  router.post(
    `${base}/passkeys`,
    page(async function addPasskey(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const { actor } = visitor
      const { name, passkey } = fields
      const done = await orShow(
        async () => ({
          codes: await passkeys.add(actor, String(name ?? ''), String(passkey ?? '')),
        }),
        async (error, status) => {
          const needsPassword = await readNeed(visitor)
          const { viewer } = visitor.context
          show(ctx, visitor, narrow(AddPasskeyCard({ viewer, needsPassword, error })), status)
        },
        addingFailures,
      )
      if (!done) return
      if (done.codes) showCodes(ctx, visitor, done.codes)
      else redirect(ctx, '/profile', 'factor_added')
    }),
  )

  /** What an address of a removal means. @throws {ServiceError} `rest_passkey_not_found` */
  async function readTarget(ctx: RequestContext, { actor }: Visitor) {
    const target = ctx.params?.target ?? ''
    const { hasTotp, passkeys: count } = await secondFactors.view(actor, actor.user.id)
    const factors = count + (hasTotp ? 1 : 0)
    if (target === 'all') {
      return { target, what: 'all second factors', isLast: true, remove: secondFactors.turnOff }
    }
    if (target === 'totp') {
      const { removeTotp: remove } = secondFactors
      return { target, what: 'the authenticator app', isLast: factors === 1, remove }
    }
    const all = await passkeys.list(actor)
    const passkey = all.find(({ id }) => target === `passkey-${id}`)
    if (!passkey) throw new ServiceError('rest_passkey_not_found')
    const what = `the passkey “${passkey.name}”`
    const remove = () => passkeys.remove(actor, passkey.id)
    return { target, what, isLast: factors === 1, remove }
  }

  router.get(
    `${base}/remove/:target`,
    page(async function askRemove(ctx) {
      const visitor = await visitors.require(ctx)
      await secondFactors.assertSteppedUp(visitor.actor)
      const { remove: _, ...target } = await readTarget(ctx, visitor)
      const card = RemoveFactorCard({ viewer: visitor.context.viewer, ...target })
      show(ctx, visitor, narrow(card))
    }),
  )

  router.post(
    `${base}/remove/:target`,
    page(async function remove(ctx) {
      const { visitor } = await visitors.readForm(ctx)
      await secondFactors.assertSteppedUp(visitor.actor)
      await (await readTarget(ctx, visitor)).remove(visitor.actor)
      redirect(ctx, '/profile', 'factor_removed')
    }),
  )

  router.get(
    `${base}/codes`,
    page(async function askNewCodes(ctx) {
      const visitor = await visitors.require(ctx)
      await secondFactors.assertSteppedUp(visitor.actor)
      show(ctx, visitor, narrow(NewCodesCard({ viewer: visitor.context.viewer })))
    }),
  )

  router.post(
    `${base}/codes`,
    page(async function renewCodes(ctx) {
      const { visitor } = await visitors.readForm(ctx)
      showCodes(ctx, visitor, await secondFactors.renewRecoveryCodes(visitor.actor))
    }),
  )
}

/** Rows of dark modules as bars of a path: no picture to load, nothing inline but shapes. */
function drawQr(text: string): QrPicture {
  const { size, data } = create(text, { errorCorrectionLevel: 'M' }).modules
  let path = ''
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!data[y * size + x]) continue
      const from = x
      while (x + 1 < size && data[y * size + x + 1]) x++
      path += `M${from} ${y}h${x + 1 - from}v1H${from}z`
    }
  }
  return { size, path }
}
