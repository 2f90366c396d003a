import { z } from 'zod'
import { parseScopes } from '../../domain/scope.js'
import { ServiceError } from '../../errors.js'
import type { HookSet } from '../../services/hooks/index.js'
import type { IssuedTokens, Origin, TokenService } from '../../services/tokens.js'
import { readBody } from '../body.js'
import { deviceHint, deviceName } from '../device-param.js'
import { answerExchange, type ExchangeHooks } from '../exchange-hooks.js'
import { oauthTokensAnswer, tokensAnswer, validationAnswer } from '../ops/answers.js'
import { exchangeFailures } from '../ops/operation.js'
import { grantTokens, oauthTokenArgs, speaksOAuth } from '../oauth/token.js'
import { readBearer } from '../guards/bearer.js'
import { readParams, text } from '../params.js'
import { requestOrigin } from '../request-origin.js'
import { readWishes, wishArgs, withoutEmptyWishes } from '../wish-params.js'
import { presentTokens } from './present.js'
import type { WpRoute } from './route.js'

const tokenArgs = z.object({
  api_key: text.optional().describe('The API key of a key-pair.'),
  api_secret: text.optional().describe('The API secret of the same key-pair.'),
  refresh_token: text.optional().describe('A refresh token, instead of a key-pair.'),
  scope: text.optional().describe('Fewer scopes than the key-pair has, separated by spaces.'),
  device: deviceName.optional().describe(deviceHint),
  ...wishArgs.shape,
})

export interface TokenRoutesDeps {
  tokens: TokenService
  hooks: ExchangeHooks & Pick<HookSet, 'tokenSchema'>
}

export function tokenRoutes({ tokens, hooks }: TokenRoutesDeps): WpRoute[] {
  const schema = { title: 'token', shape: tokensAnswer, filter: hooks.tokenSchema }
  return [
    {
      path: '/wp/v2/token',
      schema,
      endpoints: [
        {
          methods: ['POST'],
          args: tokenArgs,
          about: {
            tag: 'Tokens',
            summary: 'Exchange a key-pair or a refresh token for tokens',
            notes: 'With `grant_type` it is the token endpoint of OAuth, failures included.',
            access: 'anybody',
            dialect: 'both',
            bodies: [tokenArgs, oauthTokenArgs],
            answer: z.union([tokensAnswer, oauthTokensAnswer]),
            failures: [
              ...exchangeFailures,
              'rest_authentication_unsupported_grant_type',
              'rest_authentication_invalid_scope',
              'rest_authentication_invalid_target',
              'rest_authentication_required_device',
              'rest_authentication_too_many_devices',
              'rest_authentication_too_many_tokens',
            ],
          },
          async handle(ctx) {
            const { authorization } = ctx.headers
            const fields = await readBody(ctx)
            ctx.body = await issueTokens(tokens, fields, authorization, requestOrigin(ctx), hooks)
          },
        },
      ],
    },
    {
      path: '/wp/v2/token/validate',
      endpoints: [
        {
          methods: ['GET'],
          about: {
            tag: 'Tokens',
            summary: 'Check a token',
            notes:
              'An access token or a refresh token, as bearer. `exp` is the seconds it has left.',
            access: 'bearer',
            answer: validationAnswer,
            failures: ['rest_authentication_invalid_bearer_token'],
          },
          async handle(ctx) {
            ctx.body = await validateToken(tokens, ctx.headers.authorization, requestOrigin(ctx))
          },
        },
      ],
    },
  ]
}

/**
 * The answer of `POST token`, in the dialect of the request.
 *
 * @param body The fields of the body; never of the query, whose secrets would end up in logs.
 * @param authorization The value of the header, if there is one. Only OAuth's dialect, and hooks,
 *   read it.
 * @throws {ServiceError}
 * @throws {OAuthFailure}
 */
export async function issueTokens(
  tokens: TokenService,
  body: Record<string, unknown>,
  authorization: string | undefined,
  origin: Origin,
  hooks: ExchangeHooks = {},
): Promise<object> {
  if (speaksOAuth(body)) return grantTokens(tokens, body, authorization, origin, hooks)
  const params = readParams(tokenArgs, withoutEmptyWishes(body))
  const refreshToken = params.refresh_token?.trim()
  const apiKey = params.api_key?.trim()
  const apiSecret = params.api_secret?.trim()
  const answer = (issued: IssuedTokens) =>
    answerExchange(hooks, presentTokens(issued), issued, 'wordpress')
  const { device } = params
  const wishes = readWishes(params, Boolean(refreshToken))
  if (refreshToken) return answer(await tokens.refresh(refreshToken, origin, { device, wishes }))
  // First, as in the plugin: whatever the credentials look like, they may be the hook's.
  const vouched = hooks.user && (await hooks.user({ fields: body, authorization, ip: origin.ip }))
  if (vouched !== undefined) {
    const scopes = readScopes(params.scope)
    return answer(await tokens.exchangeVouched(vouched, origin, { scopes, device, wishes }))
  }
  if (apiKey && apiSecret) {
    const scopes = readScopes(params.scope)
    const options = { scopes, device, wishes }
    return answer(await tokens.exchange(apiKey, apiSecret, origin, options))
  }
  throw new ServiceError('rest_authentication_required_api_key_secret')
}

/** @returns `undefined` if none are asked for. */
function readScopes(scope: string | undefined): string[] | undefined {
  if (!scope?.trim()) return undefined
  const names = parseScopes(scope.trim())
  if (!names) throw new ServiceError('rest_authentication_invalid_scope')
  return names
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
  origin: Origin,
) {
  if (authorization === undefined) {
    throw new ServiceError('rest_authentication_invalid_bearer_token')
  }
  const { type, expiresIn } = await tokens.validate(readBearer(authorization), origin)
  return {
    code: `rest_authentication_valid_${type}_token`,
    message: `Valid ${type} token.`,
    data: { status: 200, exp: expiresIn },
  }
}
