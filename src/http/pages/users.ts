import Router from '@koa/router'
import { z } from 'zod'
import { parseMoment } from '../../domain/key-pair-policy.js'
import { roles } from '../../domain/user.js'
import type { SessionActor } from '../../domain/actor.js'
import { invalidParameters, ServiceError } from '../../errors.js'
import type { Services } from '../../services/index.js'
import type { SecondFactorService } from '../../services/second-factors.js'
import { TheirSecondFactorCard } from '../../views/their-second-factor.js'
import {
  NewUserCard,
  type NewUserValues,
  PasswordShownCard,
  ResetPasswordCard,
  StatusCard,
} from '../../views/user-cards.js'
import { UsersPage } from '../../views/users.js'
import { UsersFrame } from '../../views/users-frame.js'
import { readId } from '../params.js'
import type { AppRouter, RequestContext, RequestState } from '../state.js'
import { narrow } from './narrow.js'
import { type Notice, noticeOf, orShow, type PageMaker, redirect, send } from './page.js'
import { queryNumber, queryText } from './query.js'
import type { Visitor, Visitors } from './visitor.js'

const perPage = 50
const roleOf = z.enum(roles).catch('subscriber')

export interface UsersPagesDeps {
  services: Services
  visitors: Visitors
  page: PageMaker
}

/** `/users`, for administrators; the services refuse everybody else. */
export function usersPages({ services, visitors, page }: UsersPagesDeps): AppRouter {
  const { users, userAdministration, secondFactors } = services
  const router = new Router<RequestState>({ sensitive: true })

  async function showUsers(ctx: RequestContext, visitor: Visitor, error?: string, status = 200) {
    const search = queryText(ctx, 'q')
    const number = queryNumber(ctx, 'page')
    const { users: found, total } = await users.list(visitor.actor, {
      offset: (number - 1) * perPage,
      limit: perPage,
      ...(search !== '' && { search }),
    })
    const message = error === undefined ? noticeOf(ctx) : ({ tone: 'error', text: error } as const)
    const { context } = visitor
    send(
      ctx,
      UsersPage({ context, users: found, total, search, page: number, perPage, message }),
      status,
    )
  }

  /** The user of the address, as far as the visitor may change them. */
  async function readOther(ctx: RequestContext, visitor: Visitor) {
    await users.list(visitor.actor, { offset: 0, limit: 1 })
    return users.view(visitor.actor, readId(ctx.params?.id))
  }

  router.get(
    '/users',
    page(async function list(ctx) {
      await showUsers(ctx, await visitors.require(ctx))
    }),
  )

  router.get(
    '/users/new',
    page(async function askNewUser(ctx) {
      const visitor = await visitors.require(ctx)
      await users.list(visitor.actor, { offset: 0, limit: 1 })
      const { context } = visitor
      send(ctx, UsersFrame({ context, children: narrow(NewUserCard({ viewer: context.viewer })) }))
    }),
  )

  router.post(
    '/users',
    page(async function create(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const { context } = visitor
      const values: NewUserValues = {
        user_login: String(fields.user_login ?? '').trim(),
        user_email: String(fields.user_email ?? '').trim(),
        display_name: String(fields.display_name ?? '').trim(),
        role: roleOf.parse(fields.role),
      }
      const password = String(fields.password ?? '')
      const created = await orShow(
        () =>
          userAdministration.create(visitor.actor, {
            login: values.user_login,
            email: values.user_email,
            role: values.role,
            ...(values.display_name !== '' && { displayName: values.display_name }),
            ...(password !== '' && { password }),
          }),
        (error, status) => {
          const card = NewUserCard({ viewer: context.viewer, values, error })
          send(ctx, UsersFrame({ context, children: narrow(card) }), status)
        },
        ['rest_invalid_param', 'existing_user_login', 'existing_user_email'],
      )
      if (!created) return
      const { user, generatedPassword } = created
      if (generatedPassword === undefined) return redirect(ctx, '/users', 'user_created')
      const card = PasswordShownCard({ user, password: generatedPassword })
      send(ctx, UsersFrame({ context, children: narrow(card) }))
    }),
  )

  router.get(
    '/users/:id/password',
    page(async function askResetPassword(ctx) {
      const visitor = await visitors.require(ctx)
      const user = await readOther(ctx, visitor)
      const { context } = visitor
      const card = ResetPasswordCard({ viewer: context.viewer, user })
      send(ctx, UsersFrame({ context, children: narrow(card) }))
    }),
  )

  router.post(
    '/users/:id/password',
    page(async function resetPassword(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const { context } = visitor
      const user = await readOther(ctx, visitor)
      const password = String(fields.password ?? '')
      const reset = await orShow(
        () =>
          userAdministration.resetPassword(
            visitor.actor,
            user.id,
            password === '' ? undefined : password,
          ),
        (error, status) => {
          const card = ResetPasswordCard({ viewer: context.viewer, user, error })
          send(ctx, UsersFrame({ context, children: narrow(card) }), status)
        },
        ['rest_invalid_param', 'rest_user_is_self'],
      )
      if (!reset) return
      if (reset.generatedPassword === undefined) return redirect(ctx, '/users', 'password_reset')
      const card = PasswordShownCard({ user, password: reset.generatedPassword })
      send(ctx, UsersFrame({ context, children: narrow(card) }))
    }),
  )

  for (const status of ['disable', 'enable'] as const) {
    router.get(
      `/users/:id/${status}`,
      page(async function askStatus(ctx) {
        const visitor = await visitors.require(ctx)
        const user = await readOther(ctx, visitor)
        const { context } = visitor
        const card = StatusCard({ viewer: context.viewer, user })
        send(ctx, UsersFrame({ context, children: narrow(card) }))
      }),
    )

    router.post(
      `/users/:id/${status}`,
      page(async function setStatus(ctx) {
        const { visitor } = await visitors.readForm(ctx)
        const id = readId(ctx.params?.id)
        const done = await orShow(
          async () => {
            await userAdministration[status](visitor.actor, id)
            return true
          },
          (error, code) => showUsers(ctx, visitor, error, code),
          ['rest_user_is_self', 'rest_user_last_administrator'],
        )
        if (done) redirect(ctx, '/users', `user_${status}d`)
      }),
    )
  }

  router.post(
    '/users/:id/expiry',
    page(async function setExpiry(ctx) {
      const { visitor, fields } = await visitors.readForm(ctx)
      const id = readId(ctx.params?.id)
      const done = await orShow(
        async () => {
          const expiresAt = parseMoment(String(fields.expires_at ?? ''))
          if (expiresAt === undefined) throw invalidParameters({ expires_at: 'must be a date' })
          await userAdministration.setExpiry(visitor.actor, id, expiresAt)
          return true
        },
        (error, code) => showUsers(ctx, visitor, error, code),
        ['rest_user_is_self', 'rest_user_last_administrator', 'rest_invalid_param'],
      )
      if (done) redirect(ctx, `/users/${id}/profile`, 'user_expiry')
    }),
  )

  router.get(
    '/users/:id/second-factor',
    page(async function askSecondFactor(ctx) {
      const visitor = await visitors.require(ctx)
      const user = await readOther(ctx, visitor)
      await secondFactors.assertSteppedUp(visitor.actor)
      const factors = await secondFactors.view(visitor.actor, user.id)
      const { context } = visitor
      const card = TheirSecondFactorCard({ viewer: context.viewer, user, factors })
      send(ctx, UsersFrame({ context, children: narrow(card) }))
    }),
  )

  router.post(
    '/users/:id/second-factor/:change',
    page(async function changeSecondFactor(ctx) {
      const { visitor } = await visitors.readForm(ctx)
      const id = readId(ctx.params?.id)
      const change = changes[ctx.params?.change ?? '']
      if (!change) throw new ServiceError('rest_no_route')
      const done = await orShow(
        async () => {
          await change.apply(secondFactors, visitor.actor, id)
          return true
        },
        (error, code) => showUsers(ctx, visitor, error, code),
        ['rest_user_is_self'],
      )
      if (done) redirect(ctx, `/users/${id}/profile`, change.notice)
    }),
  )

  return router
}

/** What an administrator can do about another's second factor. */
const changes: Record<string, SecondFactorChange | undefined> = {
  reset: {
    apply: (secondFactors, actor, id) => secondFactors.reset(actor, id),
    notice: 'second_factor_reset',
  },
  required: {
    apply: (secondFactors, actor, id) => secondFactors.setRequired(actor, id, true),
    notice: 'second_factor_required',
  },
  optional: {
    apply: (secondFactors, actor, id) => secondFactors.setRequired(actor, id, false),
    notice: 'second_factor_optional',
  },
}

interface SecondFactorChange {
  apply(secondFactors: SecondFactorService, actor: SessionActor, userId: number): Promise<void>
  notice: Notice
}
