import Router from '@koa/router'
import type { TokenService } from '../../services/tokens.js'
import { readBody } from '../body.js'
import { clientAddress } from '../client-address.js'
import type { AppRouter, RequestContext, RequestState } from '../state.js'
import { inOAuth } from './oauth-error.js'
import { grantTokens } from './token.js'

export interface OAuthRoutesDeps {
  tokens: TokenService
}

/** What OAuth's clients know of: the token endpoint once more, and the endpoints about tokens. */
export function oauthRouter({ tokens }: OAuthRoutesDeps): AppRouter {
  const router = new Router<RequestState>({ sensitive: true, prefix: '/oauth2' })

  function addEndpoint(
    path: string,
    answer: (ctx: RequestContext, fields: Record<string, unknown>) => Promise<object>,
  ): void {
    router.post(path, async (ctx) => {
      ctx.body = await inOAuth(async () => answer(ctx, await readBody(ctx)))
    })
  }

  addEndpoint('/token', (ctx, fields) =>
    grantTokens(tokens, fields, ctx.headers.authorization, { ip: clientAddress(ctx) }),
  )
  return router
}
