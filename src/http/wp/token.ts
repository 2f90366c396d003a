import { z } from 'zod'
import { ServiceError } from '../../errors.js'
import type { TokenService } from '../../services/tokens.js'
import { readBody } from '../body.js'
import { clientAddress } from '../client-address.js'
import { readBearer } from '../guards/bearer.js'
import { readParams, text } from '../params.js'
import { presentTokens } from './present.js'
import type { WpRoute } from './route.js'

const tokenArgs = z.object({
  api_key: text.optional().describe('The API key of a key-pair.'),
  api_secret: text.optional().describe('The API secret of the same key-pair.'),
  refresh_token: text.optional().describe('A refresh token, instead of a key-pair.'),
})

export function tokenRoutes({ tokens }: { tokens: TokenService }): WpRoute[] {
  return [
    {
      path: '/wp/v2/token',
      endpoints: [
        {
          methods: ['POST'],
          args: tokenArgs,
          async handle(ctx) {
            const params = readParams(tokenArgs, await readBody(ctx))
            const refreshToken = params.refresh_token?.trim()
            const apiKey = params.api_key?.trim()
            const apiSecret = params.api_secret?.trim()
            const origin = { ip: clientAddress(ctx) }

            if (refreshToken) {
              ctx.body = presentTokens(await tokens.refresh(refreshToken, origin))
            } else if (apiKey && apiSecret) {
              ctx.body = presentTokens(await tokens.exchange(apiKey, apiSecret, origin))
            } else {
              throw new ServiceError('rest_authentication_required_api_key_secret')
            }
          },
        },
      ],
    },
    {
      path: '/wp/v2/token/validate',
      endpoints: [
        {
          methods: ['GET'],
          async handle(ctx) {
            ctx.body = await validateToken(tokens, ctx.headers.authorization, clientAddress(ctx))
          },
        },
      ],
    },
  ]
}

/**
 * The answer of `GET token/validate`.
 *
 * @param authorization The value of the header, if there is one.
 * @throws {ServiceError}
 */
export async function validateToken(
  tokens: TokenService,
  authorization: string | undefined,
  ip: string | null,
) {
  if (authorization === undefined) {
    throw new ServiceError('rest_authentication_invalid_bearer_token')
  }
  const { type, expiresIn } = await tokens.validate(readBearer(authorization), { ip })
  return {
    code: `rest_authentication_valid_${type}_token`,
    message: `Valid ${type} token.`,
    data: { status: 200, exp: expiresIn },
  }
}
