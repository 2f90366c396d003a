import { isIP } from 'node:net'
import type { Context } from 'koa'

/**
 * The client's address as far as TRUST_PROXY lets us believe it, e.g. `203.0.113.7`. What a client
 * wrote into X-Forwarded-For may be anything; only an address gets out of here.
 */
export function clientAddress(ctx: Context): string | null {
  const claimed = plain(ctx.ip)
  if (isIP(claimed)) return claimed
  const peer = plain(ctx.req.socket.remoteAddress ?? '')
  return isIP(peer) ? peer : null
}

/** Without the zone of a link-local address, and IPv4 as IPv4 (`::ffff:203.0.113.7`). */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}
