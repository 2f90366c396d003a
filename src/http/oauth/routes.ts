import Router from '@koa/router'
import type { Origin } from '../../services/tokens.js'
import { readBody } from '../body.js'
import { requestOrigin } from '../request-origin.js'
import type { AppRouter, RequestState } from '../state.js'
import type { ExchangeHooks } from '../exchange-hooks.js'
import { introspectToken, revokeToken, type TokenEndpointDeps } from './introspect.js'
import { inOAuth } from './oauth-error.js'
import { oauthPaths } from './paths.js'
import { grantTokens } from './token.js'

/** What OAuth's clients know of: the token endpoint once more, and the endpoints about tokens. */
export function oauthRouter(deps: TokenEndpointDeps & { hooks: ExchangeHooks }): AppRouter {
  const router = new Router<RequestState>({ sensitive: true })

  function addEndpoint(
    path: string,
    answer: (
      fields: Record<string, unknown>,
      authorization: string | undefined,
      origin: Origin,
    ) => Promise<object>,
  ): void {
    router.post(path, async (ctx) => {
      const origin = requestOrigin(ctx)
      const { authorization } = ctx.headers
      ctx.body = await inOAuth(async () => answer(await readBody(ctx), authorization, origin))
    })
  }

  addEndpoint(oauthPaths.token, (...request) => grantTokens(deps.tokens, ...request, deps.hooks))
  addEndpoint(oauthPaths.introspect, (...request) => introspectToken(deps, ...request))
  addEndpoint(oauthPaths.revoke, (...request) => revokeToken(deps, ...request))
  return router
}
