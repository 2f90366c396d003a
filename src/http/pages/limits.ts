import { LimitsCard } from '../../views/limits-card.js'
import { ProfileFrame } from '../../views/profile.js'
import { readParams } from '../params.js'
import { policyArgs, readPolicy } from '../wp/policy-params.js'
import { narrow } from './narrow.js'
import { orShow, redirect, send } from './page.js'
import type { AddPage, ProfileTools } from './profile.js'

/** What limits a key-pair that exists. */
export function limitsPages({ services, visitors, subjectOf }: ProfileTools, add: AddPage) {
  const { keyPairs } = services

  add('get', '/key-pairs/:api_key/limits', async function askLimits(ctx) {
    const visitor = await visitors.require(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { context, actor } = visitor
    const { viewer, now } = context
    const { base } = subject
    const userId = subject.user.id
    const keyPair = await keyPairs.find(actor, userId, ctx.params?.api_key ?? '')
    const choices = keyPairs.choices(actor)
    const card = LimitsCard({ viewer, base, userId, keyPair, choices, now })
    send(ctx, ProfileFrame({ context, subject, title: 'Limits', children: narrow(card) }))
  })

  add('post', '/key-pairs/:api_key/limits', async function limit(ctx) {
    const { visitor, fields } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { context, actor } = visitor
    const { viewer, now } = context
    const { base } = subject
    const userId = subject.user.id
    const apiKey = ctx.params?.api_key ?? ''
    const keyPair = await keyPairs.find(actor, userId, apiKey)
    const changed = await orShow(
      () => keyPairs.change(actor, userId, apiKey, readPolicyFields(fields)),
      (error, status) => {
        const choices = keyPairs.choices(actor)
        const card = LimitsCard({ viewer, base, userId, keyPair, choices, now, error })
        const children = narrow(card)
        send(ctx, ProfileFrame({ context, subject, title: 'Limits', children }), status)
      },
      ['rest_invalid_param'],
    )
    if (changed) redirect(ctx, base, 'limited')
  })
}

/** The limits in a form. A date that was picked goes before a choice from the list. */
export function readPolicyFields(fields: Record<string, unknown>) {
  const expires = fields.expires_on || fields.expires_at
  return readPolicy(readParams(policyArgs, { ...fields, expires_at: expires }))
}
