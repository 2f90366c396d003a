import type { PresentedToken } from '../../domain/access-token.js'
import { missingParameters } from '../../errors.js'
import type { TokenIntrospection } from '../../services/token-introspection.js'
import type { Origin, TokenService } from '../../services/tokens.js'
import { readParams } from '../params.js'
import { readClientSecret } from './client-secret.js'
import { clientArgs, optional } from './params.js'

/** `token_type_hint` is not read: one look-up finds a token of any type. */
export const introspectionArgs = clientArgs.extend({
  token: optional.describe('The token in question, of any type.'),
})

export interface TokenEndpointDeps {
  tokens: TokenService
  introspection: TokenIntrospection
}

/**
 * Says whether a token is good, as the check on every request would have it, and what it says.
 *
 * @throws {ServiceError}
 * @see [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662.html)
 */
export async function introspectToken(
  { tokens, introspection }: TokenEndpointDeps,
  fields: Record<string, unknown>,
  authorization: string | undefined,
  origin: Origin,
) {
  const params = readParams(introspectionArgs, fields)
  const caller = await tokens.authenticateClient(readClientSecret(authorization, params), origin)
  if (!params.token) throw missingParameters(['token'])
  const token = await introspection.introspect(caller, params.token)
  return token ? presentToken(token) : { active: false }
}

/**
 * Ends a device, or a key-pair, on its own request. Whoever asks for the end of what is no token gets it.
 *
 * @throws {ServiceError}
 * @see [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009.html)
 */
export async function revokeToken(
  { tokens, introspection }: TokenEndpointDeps,
  fields: Record<string, unknown>,
  authorization: string | undefined,
  origin: Origin,
) {
  const params = readParams(introspectionArgs, fields)
  const client = readClientSecret(authorization, params)
  const caller = await tokens.authenticateClient(client, origin)
  if (!params.token) throw missingParameters(['token'])
  await introspection.revoke(caller, client.apiSecret, params.token)
  return {}
}

/** Only an access token has a type in the sense of OAuth: a refresh token authenticates nothing. */
function presentToken(token: PresentedToken) {
  const { audience = [] } = token
  return {
    active: true,
    scope: token.scopes?.join(' '),
    client_id: token.apiKey,
    username: token.login,
    ...(token.tokenType === 'refresh' ? {} : { token_type: 'Bearer' }),
    exp: token.expiresAt,
    iat: token.issuedAt,
    nbf: token.notBefore,
    sub: String(token.userId),
    ...(audience.length > 0 && { aud: audience.length === 1 ? audience[0] : audience }),
    iss: token.issuer,
    jti: token.id,
    device: token.device?.name,
  }
}
