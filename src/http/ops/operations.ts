import { z } from 'zod'
import { resourceMetadataPath } from '../guards/bearer-challenge.js'
import { introspectionArgs } from '../oauth/introspect.js'
import { jwksPath, serverMetadataPath } from '../oauth/metadata.js'
import { oauthPaths } from '../oauth/paths.js'
import { oauthTokenArgs } from '../oauth/token.js'
import { restPrefix } from '../rest-route.js'
import { credentials, proofArgs } from '../session/routes.js'
import type { WpRoute } from '../wp/route.js'
import {
  indexAnswer,
  challengeAnswer,
  introspectionAnswer,
  jwksAnswer,
  nothingAnswer,
  oauthTokensAnswer,
  readyAnswer,
  resourceMetadataAnswer,
  provenAnswer,
  routesAnswer,
  serverMetadataAnswer,
  sessionAnswer,
  statusAnswer,
  unreadyAnswer,
} from './answers.js'
import type { Operation } from './operation.js'

const scopeQuery = z.object({
  scope: z.string().optional().describe('Scopes that the token must have, separated by spaces.'),
})

const discovery = { tag: 'Discovery', access: 'anybody', isUnfailing: true } as const
const oauth = { method: 'POST', tag: 'OAuth', access: 'client', dialect: 'oauth' } as const

/** What is served beside the routes of the REST API, which describe themselves. */
const otherOperations: readonly Operation[] = [
  {
    ...oauth,
    path: oauthPaths.token,
    summary: 'Get tokens (RFC 6749)',
    notes: 'With `grant_type` `client_credentials` or `refresh_token`.',
    bodies: [oauthTokenArgs],
    answer: oauthTokensAnswer,
    failures: [
      'rest_authentication_unsupported_grant_type',
      'rest_authentication_invalid_scope',
      'rest_authentication_invalid_target',
      'rest_authentication_token_error',
      'rest_authentication_foreign_token',
    ],
  },
  {
    ...oauth,
    path: oauthPaths.introspect,
    summary: 'Ask whether a token is good (RFC 7662)',
    notes: "For tokens of the key-pair's own user; an administrator's key-pair may ask about all.",
    bodies: [introspectionArgs],
    answer: introspectionAnswer,
  },
  {
    ...oauth,
    path: oauthPaths.revoke,
    summary: 'Revoke the key-pair of a token (RFC 7009)',
    bodies: [introspectionArgs],
    answer: nothingAnswer,
    failures: ['rest_authentication_foreign_token'],
  },
  {
    method: 'POST',
    path: '/login',
    tag: 'Sessions',
    summary: 'Log in',
    notes: 'Sets the cookie of a session. Not for pages of other sites.',
    access: 'anybody',
    bodies: [credentials],
    answer: sessionAnswer,
    failures: [
      'incorrect_password',
      'rest_authentication_disabled_user',
      'rest_authentication_expired_user',
      'rest_authentication_second_factor_required',
      'rest_authentication_invalid_second_factor',
      'rest_cross_origin',
      'rest_too_many_attempts',
    ],
  },
  {
    method: 'POST',
    path: '/logout',
    tag: 'Sessions',
    summary: 'Log out',
    access: 'anybody',
    answer: z.object({ logged_out: z.literal(true) }),
    failures: ['rest_cross_origin', 'rest_cookie_invalid_nonce'],
  },
  {
    method: 'GET',
    path: '/session',
    tag: 'Sessions',
    summary: 'See whose session it is',
    access: 'cookie',
    answer: sessionAnswer,
  },
  {
    method: 'POST',
    path: '/session/second-factor',
    tag: 'Sessions',
    summary: 'Prove the second factor anew',
    notes: 'For what needs it: minting and rotating, and revoking all. Good for 15 minutes.',
    access: 'person',
    bodies: [proofArgs],
    answer: provenAnswer,
    failures: [
      'rest_authentication_invalid_second_factor',
      'rest_cross_origin',
      'rest_too_many_attempts',
    ],
  },
  {
    method: 'POST',
    path: '/session/second-factor/challenge',
    tag: 'Sessions',
    summary: "Ask for a challenge for the user's passkeys (WebAuthn)",
    notes: 'Good once, for five minutes, and for this session.',
    access: 'person',
    answer: challengeAnswer,
    failures: ['rest_cross_origin', 'rest_passkey_not_found'],
  },
  {
    ...discovery,
    method: 'GET',
    path: restPrefix,
    summary: 'List everything (WordPress)',
    answer: indexAnswer,
  },
  {
    ...discovery,
    method: 'GET',
    path: `${restPrefix}/wp/v2`,
    summary: 'List the routes of the namespace (WordPress)',
    answer: routesAnswer,
  },
  {
    ...discovery,
    method: 'GET',
    path: `${restPrefix}/jwt-auth/v1`,
    summary: 'List the routes of the namespace for clients of usefulteam/jwt-auth',
    answer: routesAnswer,
  },
  {
    ...discovery,
    method: 'GET',
    path: serverMetadataPath,
    summary: 'Describe the authorization server (RFC 8414)',
    answer: serverMetadataAnswer,
  },
  {
    ...discovery,
    method: 'GET',
    path: resourceMetadataPath,
    summary: 'Describe the protected resource (RFC 9728)',
    answer: resourceMetadataAnswer,
  },
  {
    ...discovery,
    method: 'GET',
    path: jwksPath,
    summary: 'Get the public keys (RFC 7517)',
    notes: 'The next, the current and the previous ones. None where a shared secret signs.',
    mediaType: 'application/jwk-set+json',
    answer: jwksAnswer,
  },
  {
    ...discovery,
    method: 'GET',
    path: '/.well-known/security.txt',
    summary: 'Learn where to report a vulnerability (RFC 9116)',
    mediaType: 'text/plain',
    answer: z.string(),
    failures: ['rest_no_route'],
  },
  {
    ...discovery,
    method: 'GET',
    path: '/openapi.json',
    summary: 'Get this description',
    answer: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
  },
  {
    method: 'GET',
    path: '/forward-auth',
    tag: 'Proxies',
    summary: 'Ask whether a request may pass',
    notes: 'Every other method, and every path below, is answered alike. Refusals have no body.',
    access: 'bearer',
    dialect: 'proxy',
    query: scopeQuery,
    status: 204,
    headers: {
      'X-Auth-User-Id': 'The ID of the user.',
      'X-Auth-User-Login': 'The login, percent-encoded where a header cannot hold it.',
      'X-Auth-Api-Key': 'The key-pair that the token was issued for.',
      'X-Auth-Scopes': 'What the token may do, separated by spaces.',
    },
    failures: ['insufficient_scope'],
  },
  {
    method: 'GET',
    path: '/healthz',
    tag: 'Health',
    summary: 'See whether the process runs',
    access: 'anybody',
    isUnfailing: true,
    answer: statusAnswer,
  },
  {
    method: 'GET',
    path: '/readyz',
    tag: 'Health',
    summary: 'See whether it can serve',
    access: 'anybody',
    isUnfailing: true,
    answer: readyAnswer,
    others: { 503: unreadyAnswer },
  },
]

/** @returns Everything that is served to programs, in the order of a reader's interest. */
export function listOperations(routes: readonly WpRoute[]): Operation[] {
  return [...routes.flatMap(operationsOf), ...otherOperations]
}

/** A parameter of the router's path (`:user_id`) in the notation of OpenAPI (`{user_id}`). */
function operationsOf({ path, endpoints }: WpRoute): Operation[] {
  return endpoints.flatMap(({ methods, args, about }) =>
    methods.map((method) => ({
      ...about,
      method,
      path: restPrefix + path.replace(/:(\w+)/g, '{$1}'),
      ...(args && (method === 'GET' ? { query: args } : { bodies: about.bodies ?? [args] })),
    })),
  )
}
