import type { Context, Middleware } from 'koa'
import type { TokenPrincipal } from '../../domain/actor.js'
import type { User } from '../../domain/user.js'
import { parsePublicPath, plainPath, type PublicPath } from '../../domain/public-path.js'
import { ServiceError } from '../../errors.js'
import type { Services } from '../../services/index.js'
import { requestOrigin } from '../request-origin.js'
import { failureHeaders } from '../failure-headers.js'
import { hasBearer, readBearer } from './bearer.js'
import { createGuard, type Guard } from './guard.js'
import { assertScopes, readScopeList } from './scopes.js'
import { createTokenSource, severalTokens } from './token-source.js'

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
  /**
   * What can be had without a token: paths, e.g. `/health` or `/public/*`, with a method in front where
   * only that is public, e.g. `GET /articles/*`. A token that comes along is checked all the same.
   */
  publicPaths?: readonly string[]
}

/**
 * Middleware for a Koa application that embeds Twinkey: lets a request through only with an access
 * token whose key-pair is alive now, by the same check as every surface of Twinkey itself. Refusals are
 * answered as JSON, `{ code, message, data: { status } }`, with `WWW-Authenticate` as RFC 6750 has it,
 * and the rest of the application is not run.
 *
 * Where public paths or hooks let a request through without a token, `ctx.state` has none of it.
 *
 * @throws {TypeError} if a public path is none.
 * @example
 * const twinkey = await createRuntime(loadConfig(process.env), { logger })
 * app.use(requireToken(twinkey.services, { scope: 'reports:read' }))
 * app.use((ctx) => { ctx.body = `Hello ${ctx.state.user.displayName}` })
 */
export function requireToken(
  services: Pick<Services, 'tokens' | 'toServiceError'> &
    Partial<Pick<Services, 'hooks' | 'audit' | 'tokenSources'>>,
  { scope = [], publicPaths = [] }: RequireTokenOptions = {},
): Middleware<TokenState> {
  const { tokens, toServiceError } = services
  const { tokenSources } = services
  const takeToken = tokenSources && createTokenSource(tokenSources)
  const needed = [scope].flat().flatMap(readScopeList)
  const guard = createGuard({
    hooks: services.hooks?.guard,
    publicPaths: publicPaths.map(readPublicPath),
    toServiceError,
  })

  async function check(ctx: Context): Promise<TokenPrincipal> {
    const { authorization } = ctx.headers
    if (!hasBearer(authorization)) throw new ServiceError('rest_not_logged_in')
    const origin = requestOrigin(ctx)
    const principal = await tokens.authenticate(readBearer(authorization), origin)
    assertScopes(principal, needed)
    return principal
  }

  async function checkGuarded(guard: Guard, ctx: Context): Promise<TokenPrincipal | undefined> {
    const { method } = ctx
    const path = plainPath(ctx.path)
    const asked = { surface: 'require-token', method, path, ip: requestOrigin(ctx).ip } as const
    return guard(asked, hasBearer(ctx.headers.authorization), () => check(ctx))
  }

  return async function checkToken(ctx, next) {
    try {
      takeToken?.(ctx.req)
      takeField(ctx, tokenSources?.field)
      const principal = await (guard ? checkGuarded(guard, ctx) : check(ctx))
      // Whatever was there before is not what a token has proven.
      if (principal) Object.assign(ctx.state, stateOf(principal))
      else for (const name of stateNames) delete (ctx.state as Partial<TokenState>)[name]
    } catch (thrown) {
      const error = toServiceError(thrown)
      const origin = requestOrigin(ctx)
      services.audit?.recorder.refused(error, origin)
      ctx.set(failureHeaders(error, {}, origin.requestId))
      ctx.status = error.status
      ctx.body = error.toJSON()
      return
    }
    await next()
  }
}

/**
 * The token of a form that a parser before has read (RFC 6750, section 2.2).
 *
 * @throws {ServiceError} `rest_authentication_several_tokens`
 */
function takeField(ctx: Context, field: string | undefined): void {
  if (field === undefined || ctx.method !== 'POST' || !ctx.is('urlencoded', 'multipart')) return
  const { body } = ctx.request as { body?: Record<string, unknown> }
  const token = body?.[field]
  if (typeof token !== 'string' || token === '') return
  if (hasBearer(ctx.headers.authorization)) throw severalTokens()
  delete body?.[field]
  ctx.headers.authorization = `Bearer ${token}`
}

const stateNames = ['user', 'apiKey', 'scopes'] as const satisfies (keyof TokenState)[]

function stateOf({ user, apiKey, scopes }: TokenPrincipal): TokenState {
  return { user, apiKey, scopes }
}

function readPublicPath(text: string): PublicPath {
  const path = parsePublicPath(text)
  if (path) return path
  throw new TypeError(`publicPaths must be such as "/public/*" or "GET /news", got "${text}"`)
}
