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
  if (origin === '' || origin === new URL(publicUrl).origin) return
  if (URL.canParse(origin) && new URL(origin).host === ctx.host) return
  throw new ServiceError('rest_cross_origin')
}
