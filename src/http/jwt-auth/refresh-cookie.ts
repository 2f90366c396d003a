import type { Context } from 'koa'
import type { RefreshCookie } from '../../services/jwt-auth.js'

export interface RefreshCookies {
  /** @returns The cookie's value, which may be empty; `undefined` if there is none to be used. */
  read(ctx: Context): string | undefined
  write(ctx: Context, cookie: RefreshCookie): void
}

export interface RefreshCookiesDeps {
  publicUrl: string
  corsOrigins: '*' | readonly string[]
  /** Seconds since the Unix epoch. */
  now: () => number
}

const name = 'refresh_token'

/** The cookie of usefulteam/jwt-auth: its clients know its name, so it cannot have a prefix. */
export function createRefreshCookies(deps: RefreshCookiesDeps): RefreshCookies {
  const { publicUrl, corsOrigins, now } = deps
  const { origin, protocol } = new URL(publicUrl)
  const secure = protocol === 'https:' ? '; secure' : ''

  /**
   * A page of another site can make a browser send this request, and keep the cookie of its answer:
   * its visitors would work in an account that is not theirs. With `*` nobody is known.
   */
  function isForeign(ctx: Context): boolean {
    const sender = ctx.get('Origin')
    if (sender === '' || sender === origin || corsOrigins.includes(sender)) return false
    return !(URL.canParse(sender) && new URL(sender).host === ctx.host)
  }

  return {
    read: (ctx) => (isForeign(ctx) ? undefined : ctx.cookies.get(name)),

    write(ctx, { value, expiresAt }) {
      if (isForeign(ctx)) return
      const expires = new Date(expiresAt * 1000).toUTCString()
      const maxAge = Math.max(0, expiresAt - now())
      // Strict: it is only ever sent by the client's own requests, never by following a link.
      ctx.append(
        'Set-Cookie',
        `${name}=${value}; expires=${expires}; Max-Age=${maxAge}; path=/; HttpOnly; SameSite=Strict${secure}`,
      )
    },
  }
}
