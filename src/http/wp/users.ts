import { z } from 'zod'
import { isAdministrator } from '../../domain/user.js'
import { ServiceError } from '../../errors.js'
import type { SessionService } from '../../services/sessions.js'
import type { UserAdministration } from '../../services/user-administration.js'
import type { UserService } from '../../services/users.js'
import { readBody } from '../body.js'
import type { Authenticator } from '../guards/authenticate.js'
import { passwordAnswer, userAnswer, usersAnswer } from '../ops/answers.js'
import { integerText, readId, readParams, text } from '../params.js'
import { requestOrigin } from '../request-origin.js'
import type { SessionCookie } from '../session-cookie.js'
import type { RequestContext } from '../state.js'
import { moment } from './policy-params.js'
import { presentUser, type UserContext } from './present.js'
import type { WpRoute } from './route.js'

const viewArgs = z.object({
  context: z
    .enum(['view', 'embed', 'edit'], { error: 'must be view, embed or edit' })
    .default('view')
    .describe('Which fields are wanted; "edit" needs permission to edit the user.'),
})

const listArgs = viewArgs.extend({
  page: integerText(1, 1_000_000).default(1).describe('Page of the collection, from 1.'),
  per_page: integerText(1, 100).default(10).describe('Users on a page.'),
  search: text.optional().describe('Part of a login, e-mail address or display name.'),
})

const changeArgs = z.object({
  expires_at: moment.describe('When the account expires: seconds since 1970, a date, or "never".'),
})

const passwordArgs = z.object({
  old_password: text.describe('The current password.'),
  new_password: text.describe('The new password, at least 8 characters.'),
})

export interface UserRoutesDeps {
  users: UserService
  userAdministration: UserAdministration
  sessions: SessionService
  authenticator: Authenticator
  cookie: SessionCookie
  publicUrl: string
}

export function userRoutes(deps: UserRoutesDeps): WpRoute[] {
  const { users, userAdministration, sessions, authenticator, cookie, publicUrl } = deps

  async function show(ctx: RequestContext, idOf: (selfId: number) => number): Promise<void> {
    const viewer = await authenticator.viewer(ctx)
    const { context } = readParams(viewArgs, ctx.query)
    const user = await users.view(viewer, idOf(viewer.user.id))
    ctx.body = presentUser(user, publicUrl, context)
  }

  return [
    {
      path: '/wp/v2/users',
      endpoints: [
        {
          methods: ['GET'],
          args: listArgs,
          about: {
            tag: 'Users',
            summary: 'List users',
            notes: 'For administrators.',
            access: 'viewer',
            answer: usersAnswer,
            failures: ['rest_user_cannot_view', 'rest_forbidden_context'],
            headers: {
              'X-WP-Total': 'How many there are.',
              'X-WP-TotalPages': 'How many pages.',
            },
          },
          async handle(ctx) {
            const viewer = await authenticator.viewer(ctx)
            const { page, per_page, search, context } = readParams(listArgs, ctx.query)
            const { users: found, total } = await users.list(viewer, {
              offset: (page - 1) * per_page,
              limit: per_page,
              ...(search !== undefined && { search }),
            })
            const pages = Math.ceil(total / per_page)
            ctx.set('X-WP-Total', String(total))
            ctx.set('X-WP-TotalPages', String(pages))
            ctx.append(
              'Link',
              pageLinks(`${publicUrl}/wp-json/wp/v2/users`, ctx.query, page, pages),
            )
            ctx.body = found.map((user) => presentUser(user, publicUrl, context as UserContext))
          },
        },
      ],
    },
    {
      path: '/wp/v2/users/me',
      endpoints: [
        {
          methods: ['GET'],
          args: viewArgs,
          about: {
            tag: 'Users',
            summary: 'See who the token or the session belongs to',
            access: 'viewer',
            answer: userAnswer,
          },
          handle: (ctx) => show(ctx, (selfId) => selfId),
        },
      ],
    },
    {
      path: '/wp/v2/users/me/password',
      endpoints: [
        {
          methods: ['POST'],
          args: passwordArgs,
          about: {
            tag: 'Users',
            summary: 'Change the password',
            notes: 'Revokes all key-pairs and ends all sessions; the answer starts a new one.',
            access: 'person',
            answer: passwordAnswer,
            failures: ['rest_user_incorrect_password', 'rest_too_many_attempts'],
          },
          async handle(ctx) {
            const actor = await authenticator.person(ctx)
            if (!actor) throw new ServiceError('rest_not_logged_in')
            const params = readParams(passwordArgs, await readBody(ctx))
            const revoked = await users.changePassword(
              actor.user,
              params.old_password,
              params.new_password,
              requestOrigin(ctx),
            )
            // Every session has ended, this one too. Whoever has just proven both passwords gets a
            // new one.
            const session = await sessions.resume(actor, requestOrigin(ctx))
            cookie.write(ctx, session.token, session.expiresAt)
            ctx.body = { changed: true, revoked_key_pairs: revoked, nonce: session.nonce }
          },
        },
      ],
    },
    {
      path: '/wp/v2/users/:id',
      endpoints: [
        {
          methods: ['GET'],
          args: viewArgs,
          about: {
            tag: 'Users',
            summary: 'See a user',
            notes: 'Oneself; any user for administrators.',
            access: 'viewer',
            answer: userAnswer,
            failures: ['rest_user_invalid_id', 'rest_user_cannot_view', 'rest_forbidden_context'],
          },
          handle: (ctx) => show(ctx, () => readId(ctx.params?.id)),
        },
        {
          methods: ['PATCH'],
          args: changeArgs,
          about: {
            tag: 'Users',
            summary: 'Say when an account expires',
            notes:
              'For administrators. From then on its log-ins, key-pairs and tokens are refused.',
            access: 'person',
            answer: userAnswer,
            failures: [
              'rest_user_invalid_id',
              'rest_forbidden_context',
              'rest_user_is_self',
              'rest_user_last_administrator',
            ],
          },
          async handle(ctx) {
            const actor = await authenticator.person(ctx)
            if (!actor) throw new ServiceError('rest_not_logged_in')
            // Before a word about what was sent: whether it could be used is no business of others.
            if (!isAdministrator(actor.user)) throw new ServiceError('rest_forbidden_context')
            const body = await readBody(ctx)
            const given = body.expires_at === null ? { ...body, expires_at: 'never' } : body
            const { expires_at: expiresAt } = readParams(changeArgs, given)
            const id = readId(ctx.params?.id)
            await userAdministration.setExpiry(actor, id, expiresAt ?? null)
            ctx.body = presentUser(await users.view(actor, id), publicUrl, 'edit')
          },
        },
      ],
    },
  ]
}

/** RFC 8288 links to the pages before and after, as WordPress gives them. */
function pageLinks(
  url: string,
  query: RequestContext['query'],
  page: number,
  pages: number,
): string[] {
  const link = (to: number, rel: string) => {
    const target = new URL(url)
    for (const [name, value] of Object.entries(query)) {
      if (name !== 'rest_route') target.searchParams.set(name, String(value))
    }
    target.searchParams.set('page', String(to))
    return `<${target}>; rel="${rel}"`
  }
  return [
    ...(page > 1 ? [link(Math.min(page - 1, Math.max(pages, 1)), 'prev')] : []),
    ...(page < pages ? [link(page + 1, 'next')] : []),
  ]
}
