import Router from '@koa/router'
import type { AppRouter, RequestState } from '../state.js'

const secondsPerDay = 86_400
/** RFC 9116 recommends less than a year; whoever reads it later asks again. */
const validDays = 180

export interface SecurityTxtDeps {
  publicUrl: string
  /** A URI; without one there is no such file. */
  contact: string | undefined
  /** Seconds since the Unix epoch. */
  now: () => number
}

/**
 * Where to report a vulnerability.
 *
 * @see [RFC 9116](https://www.rfc-editor.org/rfc/rfc9116.html)
 */
export function securityTxtRouter({ publicUrl, contact, now }: SecurityTxtDeps): AppRouter {
  const router = new Router<RequestState>({ sensitive: true })
  router.get('/.well-known/security.txt', (ctx) => {
    if (contact === undefined) return
    const today = now() - (now() % secondsPerDay)
    const expires = new Date((today + validDays * secondsPerDay) * 1000).toISOString()
    ctx.set('Cache-Control', 'public, max-age=3600')
    ctx.type = 'text/plain; charset=utf-8'
    ctx.body = [
      `Contact: ${contact}`,
      `Expires: ${expires.replace('.000Z', 'Z')}`,
      `Canonical: ${publicUrl}/.well-known/security.txt`,
      '',
    ].join('\n')
  })
  return router
}
