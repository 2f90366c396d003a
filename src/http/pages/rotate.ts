import { z } from 'zod'
import { ProfileFrame } from '../../views/profile.js'
import { RotateCard } from '../../views/rotate-card.js'
import { MintedCard } from '../../views/shown-cards.js'
import { narrow } from './narrow.js'
import { orShow, send } from './page.js'
import type { AddPage, ProfileTools } from './profile.js'

const overlapText = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
  .catch(Number.NaN)

/** Another secret for a key-pair. */
export function rotatePages(
  { services, visitors, subjectOf, tokenUrl }: ProfileTools,
  add: AddPage,
) {
  const { keyPairs } = services

  add('get', '/key-pairs/:api_key/rotate', async function askRotate(ctx) {
    const visitor = await visitors.require(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { context, actor } = visitor
    // Now rather than after the click.
    await services.secondFactors.assertSteppedUp(actor)
    const userId = subject.user.id
    const keyPair = await keyPairs.find(actor, userId, ctx.params?.api_key ?? '')
    const { viewer, now } = context
    const card = RotateCard({ viewer, base: subject.base, userId, keyPair, now })
    send(ctx, ProfileFrame({ context, subject, title: 'Rotate', children: narrow(card) }))
  })

  add('post', '/key-pairs/:api_key/rotate', async function rotate(ctx) {
    const { visitor, fields } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { context, actor } = visitor
    const { viewer, now } = context
    const { base } = subject
    const userId = subject.user.id
    const apiKey = ctx.params?.api_key ?? ''
    const keyPair = await keyPairs.find(actor, userId, apiKey)
    const rotated = await orShow(
      () => keyPairs.rotate(actor, userId, apiKey, overlapText.parse(fields.overlap)),
      (error, status) => {
        const card = RotateCard({ viewer, base, userId, keyPair, now, error })
        const children = narrow(card)
        send(ctx, ProfileFrame({ context, subject, title: 'Rotate', children }), status)
      },
      [
        'rest_invalid_param',
        'rest_key_pair_rotation_conflict',
        'rest_authentication_expired_api_key',
        'rest_authentication_second_factor_missing',
      ],
    )
    if (!rotated) return
    const pair = { name: keyPair.name, apiKey, apiSecret: rotated.apiSecret }
    const card = MintedCard({ pair, tokenUrl, base, isPage: true, isRotated: true })
    send(ctx, ProfileFrame({ context, subject, title: 'Secret rotated', children: narrow(card) }))
  })
}
