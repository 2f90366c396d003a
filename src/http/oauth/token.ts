import { z } from 'zod'
import { parseScopes } from '../../domain/scope.js'
import { missingParameters, ServiceError } from '../../errors.js'
import type { ClientSecret, IssuedTokens, Origin, TokenService } from '../../services/tokens.js'
import { deviceHint, deviceName } from '../device-param.js'
import { answerExchange, type ExchangeHooks } from '../exchange-hooks.js'
import { readParams, text } from '../params.js'
import { readWishes, wishArgs, withoutEmptyWishes } from '../wish-params.js'
import { presentUserClaim } from '../wp/present.js'
import { readClientSecret } from './client-secret.js'
import { inOAuth } from './oauth-error.js'
import { clientArgs, optional } from './params.js'

export const grantTypes = ['client_credentials', 'refresh_token'] as const

/** What the token endpoint reads. */
export const oauthTokenArgs = clientArgs.extend({
  grant_type: optional.describe('`client_credentials` or `refresh_token`.'),
  scope: optional.describe(
    'Fewer scopes than the key-pair has, separated by spaces; `offline_access` asks for a refresh token.',
  ),
  refresh_token: optional.describe('For the grant of that name.'),
  device: z
    .union([z.literal(''), deviceName])
    .optional()
    .transform((value) => value || undefined)
    .describe(deviceHint),
  // The one parameter that may be repeated (RFC 8707, section 2).
  resource: z
    .union([text, z.array(text).max(10)], { error: 'must be a URI' })
    .optional()
    .describe('Who is to accept the access token (RFC 8707).'),
  ...wishArgs.shape,
})

type TokenParams = z.infer<typeof oauthTokenArgs>

/** Whether a body speaks OAuth; else it is in the dialect of WordPress. */
export function speaksOAuth(fields: Record<string, unknown>): boolean {
  const { grant_type: grantType } = fields
  return grantType !== undefined && grantType !== null && grantType !== ''
}

/**
 * The answer of the token endpoint in the dialect of OAuth.
 *
 * @param authorization The value of the header, if there is one.
 * @throws {OAuthFailure}
 */
export function grantTokens(
  tokens: TokenService,
  fields: Record<string, unknown>,
  authorization: string | undefined,
  origin: Origin,
  hooks: ExchangeHooks = {},
) {
  return inOAuth(async () => {
    const params = readParams(oauthTokenArgs, withoutEmptyWishes(fields))
    if (!params.grant_type) throw missingParameters(['grant_type'])
    if (!grantTypes.some((type) => type === params.grant_type)) {
      throw new ServiceError('rest_authentication_unsupported_grant_type')
    }
    const client = readClientSecret(authorization, params)
    const granted = await grant(tokens, params, client, origin)
    return answerExchange(hooks, presentOAuthTokens(granted), granted, 'oauth')
  })
}

function grant(
  tokens: TokenService,
  params: TokenParams,
  client: ClientSecret,
  origin: Origin,
): Promise<IssuedTokens> {
  const scopes = readScopes(params.scope)
  const { device } = params
  const isRefresh = params.grant_type === 'refresh_token'
  const wishes = readWishes(params, isRefresh)
  const resources = [params.resource ?? []].flat().filter((resource) => resource !== '')
  const wanted = { scopes, resources, device, wishes }
  if (!isRefresh) return tokens.grant(client, origin, wanted)
  if (!params.refresh_token) throw missingParameters(['refresh_token'])
  return tokens.grantByRefresh(client, params.refresh_token, origin, wanted)
}

function readScopes(list: string | undefined): readonly string[] | undefined {
  if (list === undefined) return undefined
  const scopes = parseScopes(list)
  if (!scopes) throw new ServiceError('rest_authentication_invalid_scope')
  return scopes.length === 0 ? undefined : scopes
}

/** RFC 6749, section 5.1, with what the plugin's clients read beside it. */
function presentOAuthTokens(tokens: IssuedTokens) {
  return {
    access_token: tokens.accessToken,
    token_type: 'Bearer',
    expires_in: tokens.expiresIn,
    scope: tokens.scopes.join(' '),
    ...(tokens.refreshToken !== undefined && { refresh_token: tokens.refreshToken }),
    data: { user: presentUserClaim(tokens) },
    exp: tokens.expiresIn,
    ...(tokens.registration && { jti: tokens.registration.tokenId }),
  }
}
