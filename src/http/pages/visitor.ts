import type { SessionActor } from '../../domain/actor.js'
import { matchesNonce, nonceOf } from '../../domain/session.js'
import { ServiceError } from '../../errors.js'
import type { Services } from '../../services/index.js'
import type { PageContext, Viewer } from '../../views/page.js'
import { readBody } from '../body.js'
import { assertSameOrigin } from '../guards/same-origin.js'
import { requestOrigin } from '../request-origin.js'
import type { SessionCookie } from '../session-cookie.js'
import type { RequestContext } from '../state.js'

/** Somebody who is logged in, at one of our pages. */
export interface Visitor {
  actor: SessionActor
  /** The session's token; keeps forms' secrets. */
  token: string
  /** For the views. */
  context: PageContext & { viewer: Viewer }
}

/** The page is for people who are logged in: answered by sending the browser to log in. */
export class LoginRequired extends Error {
  override readonly name = 'LoginRequired'
  readonly hadSession: boolean

  constructor(hadSession: boolean) {
    super('Nobody is logged in.')
    this.hadSession = hadSession
  }
}

export interface VisitorsDeps {
  services: Services
  cookie: SessionCookie
  publicUrl: string
  /** Folder of the pages' script and styles. */
  assets: string
}

export interface Visitors {
  /** For pages that anybody may see. */
  anonymous(): PageContext
  find(ctx: RequestContext): Promise<Visitor | undefined>
  /** @throws {LoginRequired} */
  require(ctx: RequestContext): Promise<Visitor>
  /**
   * Reads a form that somebody who is logged in has sent from a page of ours.
   *
   * @throws {LoginRequired}
   * @throws {ServiceError} `rest_cross_origin`, `rest_cookie_invalid_nonce`, or about the body.
   */
  readForm(ctx: RequestContext): Promise<{ visitor: Visitor; fields: Record<string, unknown> }>
}

export function createVisitors({ services, cookie, publicUrl, assets }: VisitorsDeps): Visitors {
  const anonymous = (): PageContext => ({ assets, now: services.now() })

  async function find(ctx: RequestContext): Promise<Visitor | undefined> {
    const token = cookie.read(ctx)
    const actor = token ? await services.sessions.find(token, requestOrigin(ctx)) : undefined
    if (!token || !actor) return undefined
    ctx.state.actor = actor
    const viewer = { user: actor.user, nonce: nonceOf(token) }
    return { actor, token, context: { ...anonymous(), viewer } }
  }

  async function require(ctx: RequestContext): Promise<Visitor> {
    const visitor = await find(ctx)
    if (!visitor) throw new LoginRequired(cookie.read(ctx) !== undefined)
    return visitor
  }

  return {
    anonymous,
    find,
    require,
    async readForm(ctx) {
      assertSameOrigin(ctx, publicUrl)
      const visitor = await require(ctx)
      const fields = await readBody(ctx)
      const nonce = fields._wpnonce
      if (typeof nonce !== 'string' || !matchesNonce(visitor.token, nonce)) {
        throw new ServiceError('rest_cookie_invalid_nonce', {
          message: 'This page was out of date. Open it again, and repeat what you did.',
        })
      }
      return { visitor, fields }
    },
  }
}
