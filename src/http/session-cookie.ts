import type { Context } from 'koa'

export interface SessionCookie {
  read(ctx: Context): string | undefined
  write(ctx: Context, token: string, expiresAt: number): void
  clear(ctx: Context): void
}

export function createSessionCookie({ publicUrl }: { publicUrl: string }): SessionCookie {
  return createCookie(publicUrl, 'twinkey_session')
}

/** Of a log-in whose second factor is still to come. */
export function createPendingCookie({ publicUrl }: { publicUrl: string }): SessionCookie {
  return createCookie(publicUrl, 'twinkey_login')
}

function createCookie(publicUrl: string, plainName: string): SessionCookie {
  const secure = publicUrl.startsWith('https:')
  // Browsers let nobody but this very host, over https, set a cookie with this prefix.
  const name = secure ? `__Host-${plainName}` : plainName
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true } as const

  function set(ctx: Context, value: string, expires: Date): void {
    // The public URL says that browsers come over https, whatever the last proxy speaks to us.
    ctx.cookies.secure = secure
    ctx.cookies.set(name, value, { ...options, expires })
  }

  return {
    read: (ctx) => ctx.cookies.get(name),
    write: (ctx, token, expiresAt) => set(ctx, token, new Date(expiresAt * 1000)),
    clear: (ctx) => set(ctx, '', new Date(0)),
  }
}
