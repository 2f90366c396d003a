import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Context } from 'koa'

/**
 * The client's address as far as TRUST_PROXY lets us believe it, e.g. `203.0.113.7`. What a client
 * wrote into X-Forwarded-For may be anything; only an address gets out of here.
 *
 * @param trustedProxies How many proxies in front of us each add the address they saw to
 *   X-Forwarded-For. The entries before theirs are the client's own words.
 */
export function addressOf(request: IncomingMessage, trustedProxies: number): string | null {
  const forwarded = request.headers['x-forwarded-for']
  if (trustedProxies > 0 && typeof forwarded === 'string') {
    const entries = forwarded.split(',').slice(-trustedProxies)
    const claimed = plain(entries[0]?.trim() ?? '')
    if (isIP(claimed)) return claimed
  }
  const peer = plain(request.socket.remoteAddress ?? '')
  return isIP(peer) ? peer : null
}

/** {@link addressOf} for a request in Koa, whose application knows how many proxies are trusted. */
export function clientAddress(ctx: Context): string | null {
  return addressOf(ctx.req, ctx.app.maxIpsCount)
}

/** Without the zone of a link-local address, and IPv4 as IPv4 (`::ffff:203.0.113.7`). */
function plain(address: string): string {
  if (!address.includes(':')) return address
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}
