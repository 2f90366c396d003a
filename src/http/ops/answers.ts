import { auditActions, auditActors, auditOutcomes } from '../../domain/audit.js'
import { z } from 'zod'
import { deviceEnds } from '../../domain/device.js'
import { errorCatalogue } from '../../errors.js'

/** The shapes of answers that have a name in the API's description. */
export const shapes = z.registry<{ id: string }>()

export function shape<T extends z.ZodType>(id: string, schema: T): T {
  shapes.add(schema, { id })
  return schema
}

const seconds = z.int().min(0)
const displayed = z.string().describe('As WordPress displays it, in UTC; "—" for never.')
const link = z.object({ href: z.string() })
const userClaim = shape(
  'TokenUser',
  z.object({
    id: z.int(),
    type: z.literal('wp_user'),
    user_login: z.string(),
    user_email: z.string(),
    api_key: z.string().describe('The key-pair that the token was issued for.'),
  }),
)

export const errorAnswer = shape(
  'Error',
  z.object({
    code: z.enum(Object.keys(errorCatalogue) as [string, ...string[]]),
    message: z.string(),
    data: z.object({
      status: z.int().describe('The status of the answer.'),
      params: z
        .record(z.string(), z.string())
        .optional()
        .describe('Parameters at fault, each with what is wrong with it.'),
    }),
  }),
)

/** RFC 6749, section 5.2. */
export const oauthErrorAnswer = shape(
  'OAuthError',
  z.object({ error: z.string(), error_description: z.string() }),
)

const registeredId = z
  .string()
  .optional()
  .describe('With is_revocable: by what the access token can be revoked.')

export const tokensAnswer = shape(
  'Tokens',
  z.object({
    access_token: z.string(),
    data: z.object({ user: userClaim }),
    exp: seconds.describe('Seconds that the access token lives.'),
    refresh_token: z.string().optional().describe('Unless is_refreshable is false.'),
    scope: z.string().optional().describe('Separated by spaces.'),
    jti: registeredId,
  }),
)

export const oauthTokensAnswer = shape(
  'OAuthTokens',
  z.object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: seconds.describe('Seconds that the access token lives.'),
    scope: z.string().describe('Separated by spaces.'),
    refresh_token: z.string().optional().describe('If the scope offline_access was asked for.'),
    data: z.object({ user: userClaim }),
    exp: seconds.describe('The same as expires_in.'),
    jti: registeredId,
  }),
)

export const validationAnswer = shape(
  'TokenCheck',
  z.object({
    code: z.enum([
      'rest_authentication_valid_access_token',
      'rest_authentication_valid_refresh_token',
    ]),
    message: z.string(),
    data: z.object({ status: z.literal(200), exp: seconds.describe('Seconds left.') }),
  }),
)

export const introspectionAnswer = shape(
  'Introspection',
  z.object({
    active: z.boolean().describe('If false, nothing else is said.'),
    scope: z.string().optional(),
    client_id: z.string().optional().describe('The API key.'),
    username: z.string().optional(),
    token_type: z.literal('Bearer').optional().describe('Of access tokens.'),
    exp: z.int().optional(),
    iat: z.int().optional(),
    nbf: z.int().optional(),
    sub: z.string().optional().describe('The ID of the user.'),
    aud: z.union([z.string(), z.array(z.string())]).optional(),
    iss: z.string().optional(),
    jti: z.string().optional(),
    device: z.string().optional().describe('The device that the token was issued to.'),
  }),
)

export const nothingAnswer = shape('Nothing', z.object({}).describe('An empty object.'))

export const auditAnswer = z.array(
  shape(
    'AuditEntry',
    z.object({
      id: z.int(),
      at: z.string().describe('ISO 8601.'),
      action: z.enum(auditActions),
      outcome: z.enum(auditOutcomes),
      actor: z.enum(auditActors),
      actor_id: z.int().nullable(),
      actor_login: z.string().nullable(),
      user_id: z.int().nullable(),
      api_key: z.string().nullable(),
      ip: z.string().nullable(),
      user_agent: z.string().nullable(),
      request_id: z.string().nullable(),
      reason: z.string().nullable().describe('Why it was refused, or done.'),
      times: z.int().describe('How many times, of what happened at once.'),
      details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
      seq: z.int().nullable().describe('Its place in the chain, once it has one.'),
      hash: z.string().nullable(),
    }),
  ),
)

export const keyPairAnswer = shape(
  'KeyPair',
  z.object({
    name: z.string(),
    api_key: z.string(),
    created: displayed,
    last_used: displayed,
    last_ip: z.string(),
    revoked: displayed.optional(),
    description: z.string().optional(),
    expires_at: seconds.optional().describe('Seconds since 1970.'),
    scopes: z.array(z.string()).optional(),
    networks: z.array(z.string()).optional(),
    require_device: z.literal(true).optional(),
    secrets: z
      .array(
        z.object({
          status: z.enum(['current', 'previous']),
          last_used: displayed,
          expires_at: seconds.optional().describe('Seconds since 1970.'),
        }),
      )
      .optional()
      .describe('While two secrets are good.'),
  }),
)

export const keyPairsAnswer = z.array(keyPairAnswer)

export const refusalsAnswer = shape(
  'Refusals',
  z.object({
    nodes: z.int().min(1).describe('How many nodes serve.'),
    refusing: z.int().min(0).describe('How many looked the key up for this answer, and refuse it.'),
    slowest_ms: z.number().min(0).describe('In which the slowest of those had looked it up.'),
    silent: z
      .array(z.object({ name: z.string().optional(), seconds }))
      .describe('Nodes that did not answer: for how long, and to administrators who.'),
    message: z.string().describe('The same in a sentence.'),
  }),
)

export const devicesAnswer = z.array(
  shape(
    'Device',
    z.object({
      id: z.int(),
      name: z.string(),
      created: displayed.describe('First use, as WordPress displays it, in UTC.'),
      last_used: displayed,
      last_ip: z.string(),
      user_agent: z.string(),
      expires_at: seconds.describe('When its last token expires, in seconds since 1970.'),
      signed_out: displayed.optional(),
      reason: z.enum(deviceEnds).optional().describe('Why it is signed out.'),
      incident: z
        .object({
          at: displayed,
          ip: z.string().describe('Where the replaced refresh token came from.'),
          issued_ip: z.string().describe('Who had been given the token that replaced it.'),
        })
        .optional()
        .describe('The last time that a replaced refresh token was used once more.'),
    }),
  ),
)

export const registeredTokensAnswer = z.array(
  shape(
    'RegisteredToken',
    z.object({
      jti: z.string(),
      description: z.string(),
      device: z.string().optional(),
      created: displayed,
      expires_at: seconds.describe('Seconds since 1970.'),
      last_used: displayed,
      last_ip: z.string(),
      revoked: displayed.optional(),
    }),
  ),
)

export const mintedAnswer = shape(
  'MintedKeyPair',
  z.object({
    api_secret: z.string().describe('Shown now and never again.'),
    row: keyPairAnswer,
  }),
)

export const userAnswer = shape(
  'User',
  z.object({
    id: z.int(),
    username: z.string().optional().describe('This and the next five: in the context "edit".'),
    email: z.string().optional(),
    first_name: z.string().optional(),
    last_name: z.string().optional(),
    roles: z.array(z.string()).optional(),
    registered_date: z.string().optional(),
    expires_at: seconds.optional().describe('In the context "edit", of an account that expires.'),
    name: z.string(),
    url: z.string(),
    description: z.string(),
    link: z.string(),
    slug: z.string(),
    avatar_urls: z.record(z.string(), z.string()),
    meta: z.array(z.unknown()),
    _links: z.object({ self: z.array(link), collection: z.array(link) }),
  }),
)

export const usersAnswer = z.array(userAnswer)

const nonce = z.string().describe('For the header X-WP-Nonce.')

export const sessionAnswer = shape('Session', z.object({ user: userAnswer, nonce }))

export const provenAnswer = shape(
  'SecondFactorProof',
  z.object({ proven: z.literal(true), expires_at: seconds.describe('Seconds since 1970.') }),
)

/** PublicKeyCredentialRequestOptionsJSON of WebAuthn, section 5.5. */
export const challengeAnswer = shape(
  'PasskeyChallenge',
  z.looseObject({ challenge: z.string(), rpId: z.string(), timeout: z.int() }),
)

export const passwordAnswer = shape(
  'PasswordChange',
  z.object({ changed: z.literal(true), revoked_key_pairs: z.int(), nonce }),
)

export const routesAnswer = shape(
  'Routes',
  z.object({
    namespace: z.string(),
    routes: z.record(z.string(), z.unknown()).describe('By path, in the notation of WordPress.'),
  }),
)

export const indexAnswer = shape(
  'Index',
  z.object({
    name: z.string(),
    description: z.string(),
    url: z.string(),
    home: z.string(),
    gmt_offset: z.string(),
    timezone_string: z.string(),
    namespaces: z.array(z.string()),
    authentication: z.record(z.string(), z.unknown()),
    routes: z.record(z.string(), z.unknown()),
  }),
)

const texts = z.array(z.string())

/** RFC 8414. */
export const serverMetadataAnswer = shape(
  'AuthorizationServer',
  z.object({
    issuer: z.string(),
    token_endpoint: z.string(),
    token_endpoint_auth_methods_supported: texts,
    introspection_endpoint: z.string(),
    introspection_endpoint_auth_methods_supported: texts,
    revocation_endpoint: z.string(),
    revocation_endpoint_auth_methods_supported: texts,
    jwks_uri: z.string(),
    grant_types_supported: texts,
    response_types_supported: texts,
    scopes_supported: texts,
  }),
)

/** RFC 9728. */
export const resourceMetadataAnswer = shape(
  'ProtectedResource',
  z.object({
    resource: z.string(),
    resource_name: z.string(),
    authorization_servers: texts,
    bearer_methods_supported: texts,
    scopes_supported: texts,
  }),
)

/** RFC 7517. */
export const jwksAnswer = shape(
  'KeySet',
  z.object({
    keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() })),
  }),
)

export const statusAnswer = shape('Health', z.object({ status: z.literal('ok') }))
export const readyAnswer = shape('Ready', z.object({ status: z.literal('ready') }))
export const unreadyAnswer = shape(
  'NotReady',
  z.object({ status: z.enum(['stopping', 'unreachable', 'schema_outdated']) }),
)
