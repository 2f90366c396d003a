import cors from '@koa/cors'
import Koa from 'koa'
import { corsAllowHeaders } from './http/cors-headers.js'
import { errorHandler } from './http/error-handler.js'
import { exposedFailureHeaders } from './http/failure-headers.js'
import { createAuthenticator } from './http/guards/authenticate.js'
import { forwardAuth } from './http/forward-auth.js'
import { createRefreshCookies } from './http/jwt-auth/refresh-cookie.js'
import { metadataRouter } from './http/oauth/metadata.js'
import { oauthRouter } from './http/oauth/routes.js'
import { healthRouter } from './http/ops/health.js'
import { describeApi, openApiRouter } from './http/ops/openapi.js'
import { listOperations } from './http/ops/operations.js'
import { securityTxtRouter } from './http/ops/security-txt.js'
import { pagesRouter } from './http/pages/routes.js'
import { restRoute } from './http/rest-route.js'
import { apiHeaders, securityHeaders } from './http/security-headers.js'
import { sessionRouter } from './http/session/routes.js'
import { createSessionCookie } from './http/session-cookie.js'
import type { RequestState } from './http/state.js'
import { logUnsentResponse } from './http/unsent-response.js'
import { wpRouter, wpRoutes } from './http/wp/routes.js'
import { type AppDeps, createAnswerFailure, createForwardAuth } from './lanes.js'

/** Puts the surfaces on the services. Nothing listens; nothing but the pages' own files is read. */
export function createApp({ services, config, logger }: AppDeps): Koa<RequestState> {
  const { publicUrl, trustProxy, corsOrigins } = config
  const { tokens, keyPairs, nodes, devices, registeredTokens, users, sessions } = services
  const cookie = createSessionCookie({ publicUrl })
  const authenticator = createAuthenticator({ tokens, sessions, cookie })

  const answerFailure = createAnswerFailure({ services, config, logger })
  const routes = wpRoutes({
    tokens,
    audit: services.audit.reader,
    keyPairs,
    nodes,
    devices,
    registeredTokens,
    users,
    userAdministration: services.userAdministration,
    sessions,
    hooks: services.hooks,
    authenticator,
    cookie,
    publicUrl,
    jwtAuth: services.jwtAuth,
    refreshCookies: createRefreshCookies({ publicUrl, corsOrigins, now: services.now }),
  })
  const document = describeApi(listOperations(routes), publicUrl)

  const app = new Koa<RequestState>()
  app.proxy = trustProxy > 0
  app.maxIpsCount = trustProxy
  app.on('error', logUnsentResponse(logger))

  app.use(forwardAuth(createForwardAuth({ services, config, logger })))
  app.use(securityHeaders(apiHeaders({ publicUrl })))
  if (corsOrigins === '*' || corsOrigins.length > 0)
    app.use(corsHeaders(corsOrigins, services.hooks.corsAllowHeaders))
  app.use(errorHandler(answerFailure))
  app.use(restRoute())
  app.use(wpRouter(routes, publicUrl).routes())
  app.use(oauthRouter(services).routes())
  app.use(
    metadataRouter({
      publicUrl,
      keyRing: services.keyRing,
      scopes: config.keyPairScopes.map(({ name }) => name),
    }).routes(),
  )
  app.use(
    securityTxtRouter({ publicUrl, contact: config.securityContact, now: services.now }).routes(),
  )
  app.use(pagesRouter({ services, cookie, publicUrl, answerFailure, document }).routes())
  app.use(sessionRouter({ ...services, authenticator, cookie, publicUrl }).routes())
  app.use(healthRouter(services).routes())
  app.use(openApiRouter(document).routes())
  return app
}

/** Where the refresh cookie of usefulteam/jwt-auth is of use. */
const jwtAuthPath = /^(?:\/wp-json)?\/jwt-auth\/v1\//

/**
 * WordPress's lists of headers. Credentials only for the refresh cookie: that of the session is for
 * our own pages.
 */
function corsHeaders(
  origins: '*' | readonly string[],
  allowHeaders: readonly string[] = corsAllowHeaders,
) {
  return cors({
    origin: (ctx) => {
      if (origins === '*') return '*'
      const origin = ctx.get('Origin')
      return origins.includes(origin) ? origin : ''
    },
    allowMethods: ['OPTIONS', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: [...allowHeaders],
    exposeHeaders: ['X-WP-Total', 'X-WP-TotalPages', 'Link', ...exposedFailureHeaders],
    maxAge: 600,
    credentials: (ctx) => origins !== '*' && jwtAuthPath.test(ctx.path),
  })
}
