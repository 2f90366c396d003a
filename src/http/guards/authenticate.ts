import type { Context } from 'koa'
import type { SessionActor, TokenPrincipal } from '../../domain/actor.js'
import { matchesNonce } from '../../domain/session.js'
import { ServiceError } from '../../errors.js'
import type { SessionService } from '../../services/sessions.js'
import type { TokenService } from '../../services/tokens.js'
import { requestOrigin } from '../request-origin.js'
import type { SessionCookie } from '../session-cookie.js'
import { hasBearer, readBearer } from './bearer.js'

export interface Authenticator {
  /**
   * Who may change things: a browser session with its nonce, and nothing else. A request that brings
   * a bearer token is a token's request, whatever cookies come along.
   *
   * @throws {ServiceError} `rest_cookie_invalid_nonce`, or `rest_not_logged_in` for a session that
   *   has ended.
   */
  person(ctx: Context): Promise<SessionActor | undefined>
  /** Who may read: the owner of an access token, or a person. @throws {ServiceError} */
  viewer(ctx: Context): Promise<SessionActor | TokenPrincipal>
}

export interface AuthenticatorDeps {
  sessions: SessionService
  tokens: TokenService
  cookie: SessionCookie
}

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { sessions, tokens, cookie } = deps

  async function person(ctx: Context): Promise<SessionActor | undefined> {
    if (hasBearer(ctx.headers.authorization)) return undefined
    const token = cookie.read(ctx)
    const nonce = ctx.get('X-WP-Nonce')
    // A cookie alone proves nothing: another site's page can make a browser send it.
    if (!token || nonce === '') return undefined
    if (!matchesNonce(token, nonce)) throw new ServiceError('rest_cookie_invalid_nonce')
    const actor = await sessions.find(token, requestOrigin(ctx))
    if (!actor) throw new ServiceError('rest_not_logged_in')
    ctx.state.actor = actor
    return actor
  }

  return {
    person,
    async viewer(ctx) {
      const { authorization } = ctx.headers
      if (hasBearer(authorization)) {
        return tokens.authenticate(readBearer(authorization), requestOrigin(ctx))
      }
      const actor = await person(ctx)
      if (!actor) throw new ServiceError('rest_not_logged_in')
      return actor
    },
  }
}
