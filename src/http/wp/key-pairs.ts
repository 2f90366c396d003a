import { z } from 'zod'
import type { Actor } from '../../domain/actor.js'
import { maxNameLength } from '../../domain/key-pair.js'
import { maxOverlap } from '../../domain/key-pair-policy.js'
import { invalidParameters, missingParameters } from '../../errors.js'
import type { KeyPairService } from '../../services/key-pairs.js'
import type { HookSet } from '../../services/hooks/index.js'
import { readBody } from '../body.js'
import type { Authenticator } from '../guards/authenticate.js'
import { keyPairAnswer, keyPairsAnswer, mintedAnswer } from '../ops/answers.js'
import { readId, readParams, text } from '../params.js'
import type { RequestContext } from '../state.js'
import { nullsAsEmpty, policyArgs, readPolicy, withoutEmpty } from './policy-params.js'
import { presentKeyPair } from './present.js'
import type { WpRoute } from './route.js'

const nameArgs = z.object({
  name: text.describe(`What the key-pair is for, 1 to ${maxNameLength} characters.`),
})

const mintArgs = policyArgs.extend(nameArgs.shape)
const changeArgs = policyArgs.extend({ name: nameArgs.shape.name.optional() })

const rotateArgs = z.object({
  overlap: z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\d{1,9}$/)
          .transform(Number),
      ],
      {
        error: 'must be a number of seconds',
      },
    )
    .default(0)
    .describe(`Seconds, up to ${maxOverlap}, for which the secret before stays good.`),
})

const listArgs = z.object({
  status: z
    .enum(['active', 'all'], { error: 'must be active or all' })
    .default('active')
    .describe('"all" also lists revoked key-pairs.'),
})

const userFailures = [
  'rest_authentication_edit_user_error',
  'rest_authentication_invalid_user_error',
] as const
const pairFailures = [...userFailures, 'rest_authentication_key_pair_not_found'] as const
const mintFailures = [
  'rest_authentication_step_up_required',
  'rest_authentication_second_factor_missing',
] as const
const nameFailures = ['rest_authentication_required_name_error'] as const

export interface KeyPairRoutesDeps {
  keyPairs: KeyPairService
  authenticator: Authenticator
  hooks: Pick<HookSet, 'keyPairSchema'>
}

export function keyPairRoutes(deps: KeyPairRoutesDeps): WpRoute[] {
  const { keyPairs, authenticator, hooks } = deps

  /** Permission comes before parameters: nobody learns from a route that is not theirs. */
  async function authorise(ctx: RequestContext) {
    const userId = readId(ctx.params?.user_id)
    const actor = keyPairs.authorise(await authenticator.person(ctx), userId)
    return { userId, actor, apiKey: ctx.params?.api_key ?? '' }
  }

  /** The plugin lets a `user_id` in the body win over the path's. One request means one user. */
  function assertSameUser(actor: Actor, userId: number, body: Record<string, unknown>): void {
    if (body.user_id === undefined || String(body.user_id) === String(userId)) return
    keyPairs.authorise(actor, readId(String(body.user_id)))
    throw invalidParameters({ user_id: 'must be the user of the path' })
  }

  const schema = { title: 'key-pair', shape: keyPairAnswer, filter: hooks.keyPairSchema }
  return [
    {
      path: '/wp/v2/key-pair/:user_id',
      schema,
      endpoints: [
        {
          methods: ['GET'],
          args: listArgs,
          about: {
            tag: 'Key-pairs',
            summary: 'List key-pairs, newest first',
            access: 'person',
            answer: keyPairsAnswer,
            failures: userFailures,
          },
          async handle(ctx) {
            const { actor, userId } = await authorise(ctx)
            const { status } = readParams(listArgs, ctx.query)
            const rows = await keyPairs.list(actor, userId, { includeRevoked: status === 'all' })
            ctx.body = rows.map(presentKeyPair)
          },
        },
        {
          methods: ['POST'],
          args: mintArgs,
          about: {
            tag: 'Key-pairs',
            summary: 'Mint a key-pair',
            access: 'person',
            answer: mintedAnswer,
            failures: [...userFailures, ...nameFailures, ...mintFailures],
          },
          async handle(ctx) {
            const { actor, userId } = await authorise(ctx)
            const body = await readBody(ctx)
            assertSameUser(actor, userId, body)
            const { name, ...limits } = readParams(mintArgs, withoutEmpty(body))
            const policy = readPolicy(limits)
            const { keyPair, apiSecret } = await keyPairs.mint(actor, userId, name, { policy })
            ctx.body = { api_secret: apiSecret, row: presentKeyPair(keyPair) }
          },
        },
      ],
    },
    {
      path: '/wp/v2/key-pair/:user_id/revoke-all',
      endpoints: [
        {
          methods: ['DELETE'],
          about: {
            tag: 'Key-pairs',
            summary: 'Revoke all key-pairs of a user',
            access: 'person',
            answer: z.int().describe('How many were revoked.'),
            failures: [...userFailures, 'rest_authentication_step_up_required'],
          },
          async handle(ctx) {
            const { actor, userId } = await authorise(ctx)
            ctx.body = JSON.stringify(await keyPairs.revokeAll(actor, userId))
            ctx.type = 'application/json'
          },
        },
      ],
    },
    {
      path: '/wp/v2/key-pair/:user_id/:api_key',
      schema,
      endpoints: [
        {
          methods: ['PATCH'],
          args: changeArgs,
          about: {
            tag: 'Key-pairs',
            summary: 'Rename a key-pair, or change its limits',
            notes: 'Only what is sent changes; an empty value lifts a limit.',
            access: 'person',
            answer: keyPairAnswer,
            failures: [...pairFailures, ...nameFailures],
          },
          async handle(ctx) {
            const { actor, userId, apiKey } = await authorise(ctx)
            const params = readParams(changeArgs, nullsAsEmpty(await readBody(ctx)))
            const { name, ...limits } = params
            const changes = { ...readPolicy(limits), ...(name !== undefined && { name }) }
            if (Object.keys(changes).length === 0) throw missingParameters(['name'])
            ctx.body = presentKeyPair(await keyPairs.change(actor, userId, apiKey, changes))
          },
        },
      ],
    },
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/rotate',
      endpoints: [
        {
          methods: ['POST'],
          args: rotateArgs,
          about: {
            tag: 'Key-pairs',
            summary: 'Give a key-pair another secret',
            access: 'person',
            answer: mintedAnswer,
            failures: [...pairFailures, ...mintFailures, 'rest_key_pair_rotation_conflict'],
          },
          async handle(ctx) {
            const { actor, userId, apiKey } = await authorise(ctx)
            const { overlap } = readParams(rotateArgs, await readBody(ctx))
            const rotated = await keyPairs.rotate(actor, userId, apiKey, overlap)
            ctx.body = { api_secret: rotated.apiSecret, row: presentKeyPair(rotated.keyPair) }
          },
        },
      ],
    },
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/revoke',
      endpoints: [
        {
          methods: ['DELETE'],
          about: {
            tag: 'Key-pairs',
            summary: 'Revoke a key-pair',
            access: 'person',
            answer: z.boolean().describe('Whether there was something to revoke.'),
            failures: userFailures,
          },
          async handle(ctx) {
            const { actor, userId, apiKey } = await authorise(ctx)
            ctx.body = JSON.stringify(await keyPairs.revoke(actor, userId, apiKey))
            ctx.type = 'application/json'
          },
        },
      ],
    },
  ]
}
