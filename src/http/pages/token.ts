import { TokenFormCard } from '../../views/key-pair-cards.js'
import { ProfileFrame } from '../../views/profile.js'
import { TokensCard } from '../../views/shown-cards.js'
import { requestOrigin } from '../request-origin.js'
import { presentTokens } from '../wp/present.js'
import { narrow } from './narrow.js'
import { orShow, send } from './page.js'
import type { AddPage, ProfileTools } from './profile.js'

/** Exchanging a key-pair by hand, to try it or to take a token along. */
export function tokenPages({ services, visitors, subjectOf }: ProfileTools, add: AddPage): void {
  const { keyPairs, tokens } = services

  add('get', '/key-pairs/:api_key/token', async function askSecret(ctx) {
    const visitor = await visitors.require(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { context, actor } = visitor
    const keyPair = await keyPairs.find(actor, subject.user.id, ctx.params?.api_key ?? '')
    const card = TokenFormCard({ viewer: context.viewer, base: subject.base, keyPair })
    send(ctx, ProfileFrame({ context, subject, title: 'New token', children: narrow(card) }))
  })

  add('post', '/key-pairs/:api_key/token', async function exchange(ctx) {
    const { visitor, fields } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { context, actor } = visitor
    const keyPair = await keyPairs.find(actor, subject.user.id, ctx.params?.api_key ?? '')
    const issued = await orShow(
      () =>
        tokens.exchange(keyPair.apiKey, String(fields.api_secret ?? '').trim(), requestOrigin(ctx)),
      (error, status, refusal) => {
        ctx.state.refusal = refusal
        const { viewer } = context
        const card = TokenFormCard({ viewer, base: subject.base, keyPair, error })
        const children = narrow(card)
        send(ctx, ProfileFrame({ context, subject, title: 'New token', children }), status)
      },
      [
        'rest_authentication_invalid_api_key_secret',
        'rest_authentication_revoked_api_key',
        'rest_authentication_disabled_user',
        'rest_authentication_expired_user',
        'rest_authentication_expired_api_key',
        'rest_authentication_network_not_allowed',
        'rest_authentication_required_device',
      ],
    )
    if (!issued) return
    const card = TokensCard({
      name: keyPair.name,
      accessToken: issued.accessToken,
      refreshToken: issued.refreshToken,
      file: JSON.stringify(presentTokens(issued)),
      base: subject.base,
      isPage: true,
    })
    send(ctx, ProfileFrame({ context, subject, title: 'New token', children: narrow(card) }))
  })
}
