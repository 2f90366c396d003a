import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import type { Origin } from '../domain/origin.js'
import { addressOf } from './client-address.js'

// Which process a request came to, and its number there: unique without the cost of a random id.
const processPrefix = `${randomBytes(6).toString('hex')}-`
let requests = 0

/** What proxies and tracers make of ids; nothing else gets into a header, a log or the database. */
const idPattern = /^[\w.:+/=@-]{1,64}$/

/**
 * Where a request came from. To be asked once a request: each time it is another.
 *
 * @param trustedProxies As for `addressOf`; with none, a request's own `X-Request-Id` counts for nothing.
 */
export function originOf(request: IncomingMessage, trustedProxies: number): Origin {
  const { headers } = request
  const given = trustedProxies > 0 ? headers['x-request-id'] : undefined
  return {
    ip: addressOf(request, trustedProxies),
    userAgent: headers['user-agent'],
    requestId:
      typeof given === 'string' && idPattern.test(given)
        ? given
        : processPrefix + (++requests).toString(36),
  }
}

/** {@link originOf} for a request in Koa: the same as often as it is asked. */
export function requestOrigin(ctx: Context): Origin {
  ctx.state.origin ??= originOf(ctx.req, ctx.app.maxIpsCount)
  return ctx.state.origin as Origin
}
