import type { Middleware } from 'koa'
import type { User } from '../../domain/user.js'
import { ServiceError } from '../../errors.js'
import type { Services } from '../../services/index.js'
import { clientAddress } from '../client-address.js'
import { failureHeaders } from '../failure-headers.js'
import { hasBearer, readBearer } from './bearer.js'
import { assertScopes, readScopeList } from './scopes.js'

/** What {@link requireToken} puts on `ctx.state`. */
export interface TokenState {
  user: User
  /** The key-pair that the token was issued for. */
  apiKey: string
  /** What the token may do, of the scopes that are defined. */
  scopes: readonly string[]
}

export interface RequireTokenOptions {
  /** What the token must have, all of it: scopes of KEY_PAIR_SCOPES, e.g. `'read'` or `'read write'`. */
  scope?: string | readonly string[]
}

/**
 * Middleware for a Koa application that embeds Twinkey: lets a request through only with an access
 * token whose key-pair is alive now, by the same check as every surface of Twinkey itself. Refusals are
 * answered as JSON, `{ code, message, data: { status } }`, with `WWW-Authenticate` as RFC 6750 has it,
 * and the rest of the application is not run.
 *
 * @example
 * const twinkey = await createRuntime(loadConfig(process.env), { logger })
 * app.use(requireToken(twinkey.services, { scope: 'reports:read' }))
 * app.use((ctx) => { ctx.body = `Hello ${ctx.state.user.displayName}` })
 */
export function requireToken(
  services: Pick<Services, 'tokens' | 'toServiceError'>,
  { scope = [] }: RequireTokenOptions = {},
): Middleware<TokenState> {
  const needed = [scope].flat().flatMap(readScopeList)
  return async function checkToken(ctx, next) {
    try {
      const { authorization } = ctx.headers
      if (!hasBearer(authorization)) throw new ServiceError('rest_not_logged_in')
      const principal = await services.tokens.authenticate(readBearer(authorization), {
        ip: clientAddress(ctx),
      })
      assertScopes(principal.scopes, needed)
      ctx.state.user = principal.user
      ctx.state.apiKey = principal.apiKey
      ctx.state.scopes = principal.scopes
    } catch (thrown) {
      const error = services.toServiceError(thrown)
      ctx.set(failureHeaders(error, {}))
      ctx.status = error.status
      ctx.body = error.toJSON()
      return
    }
    await next()
  }
}
