import { z } from 'zod'
import type { RegisteredTokenService } from '../../services/registered-tokens.js'
import type { Authenticator } from '../guards/authenticate.js'
import { registeredTokensAnswer } from '../ops/answers.js'
import { readId } from '../params.js'
import { presentRegisteredToken } from './present.js'
import type { WpRoute } from './route.js'

export interface RegisteredTokenRoutesDeps {
  registeredTokens: RegisteredTokenService
  authenticator: Authenticator
}

const failures = [
  'rest_authentication_edit_user_error',
  'rest_authentication_key_pair_not_found',
] as const

export function registeredTokenRoutes(deps: RegisteredTokenRoutesDeps): WpRoute[] {
  const { registeredTokens, authenticator } = deps
  return [
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/tokens',
      endpoints: [
        {
          methods: ['GET'],
          about: {
            tag: 'Key-pairs',
            summary: 'List the revocable tokens of a key-pair, newest first',
            notes:
              'Those issued with `is_revocable`, until they expire; never the tokens themselves.',
            access: 'person',
            answer: registeredTokensAnswer,
            failures,
          },
          async handle(ctx) {
            const actor = await authenticator.person(ctx)
            const { user_id: userId, api_key: apiKey = '' } = ctx.params ?? {}
            const tokens = await registeredTokens.list(actor, readId(userId), apiKey)
            ctx.body = tokens.map(presentRegisteredToken)
          },
        },
      ],
    },
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/tokens/:jti',
      endpoints: [
        {
          methods: ['DELETE'],
          about: {
            tag: 'Key-pairs',
            summary: 'Revoke one token of a key-pair',
            notes: 'It is refused from the next request on; a refresh token beside it is not.',
            access: 'person',
            answer: z.boolean().describe('Whether it was good.'),
            failures: [...failures, 'rest_token_not_found'],
          },
          async handle(ctx) {
            const actor = await authenticator.person(ctx)
            const { user_id: userId, api_key: apiKey = '', jti = '' } = ctx.params ?? {}
            const wasGood = await registeredTokens.revoke(actor, readId(userId), apiKey, jti)
            ctx.body = JSON.stringify(wasGood)
            ctx.type = 'application/json'
          },
        },
      ],
    },
  ]
}
