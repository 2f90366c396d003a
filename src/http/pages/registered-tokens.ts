import { redirect } from './page.js'
import type { AddPage, ProfileTools } from './profile.js'

/** Revoking single tokens of a key-pair. */
export function registeredTokenPages(
  { services, visitors, subjectOf }: ProfileTools,
  add: AddPage,
) {
  add('post', '/key-pairs/:api_key/tokens/:jti/revoke', async function revoke(ctx) {
    const { visitor } = await visitors.readForm(ctx)
    const { user, base } = await subjectOf(ctx, visitor)
    const { api_key: apiKey = '', jti = '' } = ctx.params ?? {}
    await services.registeredTokens.revoke(visitor.actor, user.id, apiKey, jti)
    redirect(ctx, base, 'token_revoked')
  })
}
