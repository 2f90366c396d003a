import type { RequestContext } from './state.js'
import type { AppMiddleware } from './state.js'

const prefix = '/wp-json'
const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

/**
 * WordPress's REST API has three addresses: `/wp-json/wp/v2/…`, `/index.php?rest_route=/wp/v2/…`
 * (and `/?rest_route=`), and ours, `/wp/v2/…`. This finds the one path behind them, which the router
 * and nothing else looks at, so no spelling reaches a route that another spelling would not.
 */
export function restRoute(): AppMiddleware {
  return function findRestRoute(ctx, next) {
    const path = restPathOf(ctx)
    if (path === undefined) return next()
    ctx.state.restPath = path
    // What @koa/router matches instead of the path.
    ctx.newRouterPath = path === '/' ? prefix : path
    overrideMethod(ctx)
    return next()
  }
}

function restPathOf(ctx: RequestContext): string | undefined {
  const { path } = ctx
  if (path.startsWith('/wp/v2')) return normalise(path)
  if (path.startsWith(prefix)) {
    const rest = path.slice(prefix.length)
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
  if (methods.has(method)) ctx.method = method
}
