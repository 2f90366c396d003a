import { ServiceError } from '../errors.js'
import type { AppMiddleware, RequestContext } from './state.js'

/** Of the router's paths: no other surface lies below it. */
export const restPrefix = '/wp-json'
/** Namespaces that are served without the prefix as well. */
const ownPrefixes = ['/wp/v2', '/jwt-auth/v1']
// Not HEAD: the client would wait for the body that its POST has and our answer to HEAD has not.
const overrides = new Set(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * WordPress's REST API has three addresses: `/wp-json/wp/v2/…`, `/index.php?rest_route=/wp/v2/…`
 * (and `/?rest_route=`), and ours, `/wp/v2/…`; the same for `jwt-auth/v1`. This finds the one path behind them, which the router
 * and nothing else looks at, so no spelling reaches a route that another spelling would not.
 */
export function restRoute(): AppMiddleware {
  return function findRestRoute(ctx, next) {
    // A request target that is no URL (`http://[`): asking Koa for its path would throw. And in
    // `//x@?#` Koa finds a host, and no path at all.
    if ((!ctx.url.startsWith('/') && !URL.canParse(ctx.url)) || !ctx.path) {
      ctx.url = '/'
      throw new ServiceError('rest_no_route')
    }
    const path = restPathOf(ctx)
    if (path === undefined) return next()
    ctx.state.restPath = path
    // What @koa/router matches instead of the path.
    ctx.newRouterPath = path === '/' ? restPrefix : `${restPrefix}${path}`
    overrideMethod(ctx)
    return next()
  }
}

function restPathOf(ctx: RequestContext): string | undefined {
  const { path } = ctx
  if (ownPrefixes.some((prefix) => path.startsWith(prefix))) return normalise(path)
  if (path.startsWith(restPrefix)) {
    const rest = path.slice(restPrefix.length)
    return rest === '' || rest.startsWith('/') ? normalise(rest) : undefined
  }
  if (path !== '/' && path !== '/index.php') return undefined
  const route = new URLSearchParams(ctx.querystring).getAll('rest_route').at(-1)
  return route?.startsWith('/') ? normalise(route) : undefined
}

/** WordPress ignores slashes at the end. */
function normalise(path: string): string {
  return path.replace(/\/+$/, '') || '/'
}

/** Clients behind firewalls send DELETE as POST. Only POST can be turned into something else. */
function overrideMethod(ctx: RequestContext): void {
  if (ctx.method !== 'POST') return
  const method = ctx.get('X-HTTP-Method-Override').toUpperCase()
  if (overrides.has(method)) ctx.method = method
}
