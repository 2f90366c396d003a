import Router from '@koa/router'
import { ServiceError } from '../../errors.js'
import { restPrefix } from '../rest-route.js'
import type { AppRouter, RequestContext, RequestState } from '../state.js'
import { type JwtAuthRoutesDeps, jwtAuthRoutes } from '../jwt-auth/routes.js'
import { type AuditRoutesDeps, auditRoutes } from './audit.js'
import { type KeyPairRoutesDeps, keyPairRoutes } from './key-pairs.js'
import { type DeviceRoutesDeps, deviceRoutes } from './devices.js'
import { type RefusalRoutesDeps, refusalRoutes } from './refusals.js'
import { type RegisteredTokenRoutesDeps, registeredTokenRoutes } from './registered-tokens.js'
import {
  describeRoute,
  matchesPattern,
  namespaceOf,
  namespaces,
  patternOf,
  readSchema,
  type WpRoute,
} from './route.js'
import { tokenRoutes } from './token.js'
import { type UserRoutesDeps, userRoutes } from './users.js'

export type WpRoutesDeps = KeyPairRoutesDeps &
  AuditRoutesDeps &
  DeviceRoutesDeps &
  RefusalRoutesDeps &
  RegisteredTokenRoutesDeps &
  UserRoutesDeps &
  JwtAuthRoutesDeps &
  Parameters<typeof tokenRoutes>[0]

/** The REST API of WordPress, as far as it is ours. */
export function wpRoutes(deps: WpRoutesDeps): readonly WpRoute[] {
  return [
    ...tokenRoutes(deps),
    ...keyPairRoutes(deps),
    ...auditRoutes(deps),
    ...refusalRoutes(deps),
    ...deviceRoutes(deps),
    ...registeredTokenRoutes(deps),
    ...userRoutes(deps),
    ...jwtAuthRoutes(deps),
  ]
}

export function wpRouter(routes: readonly WpRoute[], publicUrl: string): AppRouter {
  const router = new Router<RequestState>({ sensitive: true, prefix: restPrefix })
  for (const route of routes) addRoute(router, route, publicUrl)
  addIndex(router, routes, publicUrl)
  return router
}

function addRoute(router: AppRouter, route: WpRoute, publicUrl: string): void {
  const description = describeRoute(route, publicUrl)
  const allowed = route.endpoints.flatMap((endpoint) => endpoint.methods).join(', ')

  function assertPattern(ctx: RequestContext): void {
    if (!matchesPattern(ctx.params ?? {})) throw new ServiceError('rest_no_route')
  }

  for (const { methods, handle } of route.endpoints) {
    router.register(route.path, [...methods], (ctx) => {
      assertPattern(ctx)
      return handle(ctx)
    })
  }
  router.options(route.path, async (ctx) => {
    assertPattern(ctx)
    ctx.set('Allow', allowed)
    const { schema } = route
    ctx.body = schema ? { ...description, schema: await readSchema(schema) } : description
  })
}

/** `/wp-json/`, `/wp-json/wp/v2` and `/wp-json/jwt-auth/v1`, by which clients discover what there is. */
function addIndex(router: AppRouter, routes: readonly WpRoute[], publicUrl: string): void {
  const describe = (some: readonly WpRoute[]) =>
    Object.fromEntries(
      some.map((route) => [patternOf(route.path), describeRoute(route, publicUrl)]),
    )
  const index = {
    name: 'Twinkey',
    description: 'Key-pairs, tokens, and the check of both.',
    url: publicUrl,
    home: publicUrl,
    gmt_offset: '0',
    timezone_string: 'UTC',
    namespaces,
    authentication: {},
    routes: describe(routes),
  }
  router.get('/', (ctx) => {
    ctx.body = index
  })
  for (const namespace of namespaces) {
    const described = describe(routes.filter(({ path }) => namespaceOf(path) === namespace))
    router.get(`/${namespace}`, (ctx) => {
      ctx.body = { namespace, routes: described }
    })
  }
}
