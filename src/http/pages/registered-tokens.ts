import { type PageMaker, redirect } from './page.js'
import type { ProfileTools } from './profile.js'

type Add = (method: 'get' | 'post', path: string, handle: Parameters<PageMaker>[0]) => void

/** Revoking single tokens of a key-pair. */
export function registeredTokenPages({ services, visitors, subjectOf }: ProfileTools, add: Add) {
  add('post', '/key-pairs/:api_key/tokens/:jti/revoke', async function revoke(ctx) {
    const { visitor } = await visitors.readForm(ctx)
    const { user, base } = await subjectOf(ctx, visitor)
    const { api_key: apiKey = '', jti = '' } = ctx.params ?? {}
    await services.registeredTokens.revoke(visitor.actor, user.id, apiKey, jti)
    redirect(ctx, base, 'token_revoked')
  })
}
