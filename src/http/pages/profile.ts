import Router from '@koa/router'
import { customAlphabet } from 'nanoid'
import { apiKeyOfForm } from '../../domain/key-pair.js'
import { ServiceError } from '../../errors.js'
import type { Services } from '../../services/index.js'
import { RevokeAllCard, RevokeCard } from '../../views/key-pair-cards.js'
import { ProfileFrame, ProfilePage, type Subject } from '../../views/profile.js'
import { MintedCard } from '../../views/shown-cards.js'
import { readId } from '../params.js'
import { requestOrigin } from '../request-origin.js'
import type { SessionCookie } from '../session-cookie.js'
import type { AppRouter, RequestContext, RequestState } from '../state.js'
import { withoutEmpty } from '../wp/policy-params.js'
import { limitsPages, readPolicyFields } from './limits.js'
import { devicePages } from './devices.js'
import { registeredTokenPages } from './registered-tokens.js'
import { narrow } from './narrow.js'
import { orShow, type PageMaker, redirect, send } from './page.js'
import { queryNumber, queryText } from './query.js'
import { createNoticeReader } from './refusal-notice.js'
import { rotatePages } from './rotate.js'
import { secondFactorPages } from './second-factor.js'
import { tokenPages } from './token.js'
import type { Visitor, Visitors } from './visitor.js'

const perPage = 50
const newFormToken = customAlphabet(
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  24,
)
const formTokenPattern = /^[0-9A-Za-z]{24}$/

export interface ProfilePagesDeps {
  services: Services
  cookie: SessionCookie
  visitors: Visitors
  page: PageMaker
  publicUrl: string
}

/** Adds a page below `/profile` and, the same, below `/users/{id}/profile`. */
export type AddPage = (
  method: 'get' | 'post',
  path: string,
  handle: Parameters<PageMaker>[0],
) => void

export interface ProfileTools extends ProfilePagesDeps {
  tokenUrl: string
  /** Whose profile the address names; an administrator's own is at `/profile` only. */
  subjectOf(ctx: RequestContext, visitor: Visitor): Promise<Subject>
}

interface Extras {
  status?: number
  error?: string
  /** What was typed into the field of a new key-pair. */
  name?: string
  passwordError?: string
}

/** `/profile` and, the same for administrators, `/users/{id}/profile`. */
export function profilePages(deps: ProfilePagesDeps): AppRouter {
  const { services, cookie, visitors, page, publicUrl } = deps
  const { keyPairs, devices, registeredTokens, users, sessions, secondFactors, passkeys } = services
  const tokenUrl = `${publicUrl}/wp-json/wp/v2/token`
  const router = new Router<RequestState>({ sensitive: true })

  async function subjectOf(ctx: RequestContext, visitor: Visitor): Promise<Subject> {
    const own: Subject = { user: visitor.actor.user, isSelf: true, base: '/profile' }
    const id = ctx.params?.id
    if (id === undefined || readId(id) === own.user.id) return own
    if (!/^\d+$/.test(id)) throw new ServiceError('rest_user_invalid_id')
    const user = await users.view(visitor.actor, readId(id))
    return { user, isSelf: false, base: `/users/${user.id}/profile` }
  }

  async function readSecondFactor({ actor, context }: Visitor, { user, isSelf }: Subject) {
    const factors = await secondFactors.view(actor, user.id)
    return {
      factors,
      passkeys: isSelf ? await passkeys.list(actor) : [],
      passkeyProblem: passkeys.problem,
      isRequired: factors.isRequired || secondFactors.policy === 'minting',
      now: context.now,
    }
  }

  const readNotice = createNoticeReader(services)

  async function showProfile(
    ctx: RequestContext,
    visitor: Visitor,
    subject: Subject,
    { status = 200, error, name, passwordError }: Extras = {},
  ): Promise<void> {
    const { actor, context } = visitor
    const search = queryText(ctx, 'q')
    const includeRevoked = queryText(ctx, 'show') === 'all'
    const pageNumber = queryNumber(ctx, 'page')
    const [listing, browsers, secondFactor, notice] = await Promise.all([
      keyPairs.page(actor, subject.user.id, {
        includeRevoked,
        search,
        offset: (pageNumber - 1) * perPage,
        limit: perPage,
      }),
      sessions.listOf(actor, subject.user.id),
      readSecondFactor(visitor, subject),
      readNotice(ctx, visitor, subject),
    ])
    const ids = listing.rows.map(({ keyPair }) => keyPair.id)
    send(
      ctx,
      ProfilePage({
        context,
        subject,
        keyPairs: {
          listing,
          devices: await devices.listAll(actor, subject.user.id, ids),
          tokens: await registeredTokens.listAll(actor, subject.user.id, ids),
          filter: { search, includeRevoked, page: pageNumber, perPage },
          choices: keyPairs.choices(actor),
          formToken: newFormToken(),
          ...(name !== undefined && { name }),
        },
        sessions: browsers,
        currentSessionId: actor.sessionId,
        secondFactor,
        tokenUrl,
        message: error === undefined ? notice : { tone: 'error', text: error },
        passwordError,
      }),
      status,
    )
  }

  /** The same thing at both addresses. */
  function add(method: 'get' | 'post', path: string, handle: Parameters<PageMaker>[0]): void {
    router[method](`/profile${path}`, page(handle))
    router[method](`/users/:id/profile${path}`, page(handle))
  }

  add('get', '', async function show(ctx) {
    const visitor = await visitors.require(ctx)
    const subject = await subjectOf(ctx, visitor)
    if (subject.isSelf && ctx.path !== '/profile') return redirect(ctx, '/profile')
    return showProfile(ctx, visitor, subject)
  })

  add('post', '/key-pairs', async function mint(ctx) {
    const { visitor, fields } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const name = String(fields.name ?? '')
    const formToken = String(fields.form_token ?? '')
    if (!formTokenPattern.test(formToken)) throw new ServiceError('rest_cookie_invalid_nonce')
    const apiKey = apiKeyOfForm(subject.user.id, visitor.token, formToken)
    const minted = await orShow(
      () => {
        const policy = readPolicyFields(withoutEmpty(fields))
        return keyPairs.mint(visitor.actor, subject.user.id, name, { apiKey, policy })
      },
      (error, status) => showProfile(ctx, visitor, subject, { error, status, name }),
      [
        'rest_authentication_required_name_error',
        'rest_invalid_param',
        'rest_key_pair_already_minted',
        'rest_authentication_second_factor_missing',
      ],
    )
    if (!minted) return
    const pair = { name, apiKey, apiSecret: minted.apiSecret }
    const card = MintedCard({ pair, tokenUrl, base: subject.base, isPage: true })
    const { context } = visitor
    send(ctx, ProfileFrame({ context, subject, title: 'Key-pair created', children: narrow(card) }))
  })

  add('post', '/key-pairs/:api_key/rename', async function rename(ctx) {
    const { visitor, fields } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const renamed = await orShow(
      () =>
        keyPairs.rename(
          visitor.actor,
          subject.user.id,
          ctx.params?.api_key ?? '',
          String(fields.name ?? ''),
        ),
      (error, status) => showProfile(ctx, visitor, subject, { error, status }),
      ['rest_authentication_required_name_error', 'rest_invalid_param'],
    )
    if (renamed) redirect(ctx, subject.base, 'renamed')
  })

  add('get', '/key-pairs/:api_key/revoke', async function askRevoke(ctx) {
    const visitor = await visitors.require(ctx)
    const subject = await subjectOf(ctx, visitor)
    const userId = subject.user.id
    const keyPair = await keyPairs.find(visitor.actor, userId, ctx.params?.api_key ?? '')
    const { context } = visitor
    const { viewer, now } = context
    const card = RevokeCard({ viewer, base: subject.base, userId, keyPair, now })
    send(ctx, ProfileFrame({ context, subject, title: 'Revoke', children: narrow(card) }))
  })

  add('post', '/key-pairs/:api_key/revoke', async function revoke(ctx) {
    const { visitor } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { apiKey } = await keyPairs.find(
      visitor.actor,
      subject.user.id,
      ctx.params?.api_key ?? '',
    )
    await keyPairs.revoke(visitor.actor, subject.user.id, apiKey)
    redirect(ctx, subject.base, 'revoked', { key: apiKey })
  })

  add('get', '/revoke-all', async function askRevokeAll(ctx) {
    const visitor = await visitors.require(ctx)
    const subject = await subjectOf(ctx, visitor)
    // Now rather than after the click.
    await secondFactors.assertSteppedUp(visitor.actor)
    const { context } = visitor
    const summary = await keyPairs.summarise(visitor.actor, subject.user.id)
    const card = RevokeAllCard({
      viewer: context.viewer,
      base: subject.base,
      userId: subject.user.id,
      owner: subject.isSelf ? undefined : subject.user.login,
      summary,
      now: context.now,
    })
    send(ctx, ProfileFrame({ context, subject, title: 'Revoke all', children: narrow(card) }))
  })

  add('post', '/revoke-all', async function revokeAll(ctx) {
    const { visitor } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    await keyPairs.revokeAll(visitor.actor, subject.user.id)
    redirect(ctx, subject.base, 'revoked_all')
  })

  add('post', '/sessions/end', async function endSession(ctx) {
    const { visitor, fields } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const ended = await orShow(
      async () => {
        await sessions.end(visitor.actor, subject.user.id, String(fields.session ?? ''))
        return true
      },
      (error, status) => showProfile(ctx, visitor, subject, { error, status }),
      ['rest_session_not_found'],
    )
    if (ended) redirect(ctx, subject.base, 'session_ended')
  })

  add('post', '/sessions/end-others', async function endOtherSessions(ctx) {
    const { visitor } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    await sessions.endOthers(visitor.actor, subject.user.id)
    redirect(ctx, subject.base, 'sessions_ended')
  })

  router.post(
    '/profile/password',
    page(async function changePassword(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const { user } = visitor.actor
      const subject: Subject = { user, isSelf: true, base: '/profile' }
      const refuse = (passwordError: string, status: number) =>
        showProfile(ctx, visitor, subject, { passwordError, status })
      const newPassword = String(fields.new_password ?? '')
      if (newPassword !== fields.repeat_password) {
        return refuse('The new password and its repetition differ.', 400)
      }
      const revoked = await orShow(
        () =>
          users.changePassword(
            user,
            String(fields.old_password ?? ''),
            newPassword,
            requestOrigin(ctx),
          ),
        (text, status, refusal) => {
          ctx.state.refusal = refusal
          return refuse(text, status)
        },
        ['rest_user_incorrect_password', 'rest_invalid_param'],
      )
      if (revoked === undefined) return
      // Every session has ended, this one too. Whoever has just proven both passwords gets a new one.
      const session = await sessions.resume(visitor.actor, requestOrigin(ctx))
      cookie.write(ctx, session.token, session.expiresAt)
      redirect(ctx, '/profile', 'password_changed')
    }),
  )

  secondFactorPages(deps, router)
  tokenPages({ ...deps, tokenUrl, subjectOf }, add)
  devicePages({ ...deps, tokenUrl, subjectOf }, add)
  registeredTokenPages({ ...deps, tokenUrl, subjectOf }, add)
  rotatePages({ ...deps, tokenUrl, subjectOf }, add)
  limitsPages({ ...deps, tokenUrl, subjectOf }, add)
  return router
}
