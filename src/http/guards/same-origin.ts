import type { Context } from 'koa'
import { ServiceError } from '../../errors.js'

/**
 * Refuses what a page of another site sends with this browser's cookies. Browsers name the sender in
 * `Origin` on every POST; other clients send none and have no cookies to abuse.
 *
 * @throws {ServiceError} `rest_cross_origin`
 */
export function assertSameOrigin(ctx: Context, publicUrl: string): void {
  const origin = ctx.get('Origin')
  const own = new URL(publicUrl)
  if (origin === '' || origin === own.origin) return
  if (URL.canParse(origin)) {
    const { host, protocol } = new URL(origin)
    // Whoever is in between can make up a page that comes over http from a host that speaks https.
    const isDowngrade = own.protocol === 'https:' && protocol !== 'https:' && host === own.host
    if (host === ctx.host && !isDowngrade) return
  }
  throw new ServiceError('rest_cross_origin')
}
