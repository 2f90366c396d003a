import type { z } from 'zod'
import { type ErrorCode, errorCatalogue, ServiceError } from '../../errors.js'
import type { Subject } from '../jwt-auth/words.js'

/**
 * Who may ask: anybody; a person with a browser session and its nonce; those or the bearer of an
 * access token; a bearer only; a key-pair that proves itself as OAuth's clients do; or the bearer of
 * the session's cookie, for whom no nonce is needed.
 */
export type Access = 'anybody' | 'person' | 'viewer' | 'bearer' | 'client' | 'cookie'

/** In which words a refusal comes, and with which status. */
export type Dialect = 'wordpress' | 'oauth' | 'both' | 'proxy' | 'jwt-auth'

/** What is said of an endpoint beside the parameters that its handler reads. */
export interface Description {
  tag: Tag
  /** In a few words. */
  summary: string
  /** What the summary leaves open, in Markdown. */
  notes?: string
  access: Access
  /** The answer where all is well; absent where it has no body. */
  answer?: z.ZodType
  /** Failures of this endpoint alone: those of access, parameters and the service come by themselves. */
  failures?: readonly ErrorCode[]
  dialect?: Dialect
  /** In the dialect of jwt-auth: what it may fail at. */
  subjects?: readonly Subject[]
  /** Headers of the answer, with what they say. */
  headers?: Record<string, string>
  /** The forms of the body, where there is more than one. */
  bodies?: readonly z.ZodObject[]
}

/** One method of one path, as far as the outside can see. */
export interface Operation extends Description {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With parameters in braces, e.g. `/wp-json/wp/v2/users/{id}`. */
  path: string
  query?: z.ZodObject | undefined
  /** Of the answer, where it is not JSON plainly. */
  mediaType?: string
  /** Where all is well: 200, unless it says otherwise. */
  status?: number
  /** Answers that are neither the usual one nor a failure. */
  others?: Record<number, z.ZodType>
  /** Whether it answers without the database, so that nothing can be in its way. */
  isUnfailing?: boolean
}

export const tags = {
  Tokens: 'Exchange a key-pair for tokens; check one.',
  'usefulteam/jwt-auth': 'The same tokens, for clients of that plugin.',
  'Key-pairs': 'Mint, list, change, rotate and revoke.',
  Users: 'Who a token or a session belongs to.',
  Audit: 'What happened, and why something was refused.',
  Sessions: 'Logging in and out with a cookie.',
  OAuth: 'The same tokens, in the words of RFC 6749, 7009 and 7662.',
  Discovery: 'What the service says of itself.',
  Proxies: 'The check, for a proxy in front of any API.',
  Health: 'Whether the service runs, and can serve.',
} as const

export type Tag = keyof typeof tags

const codes = Object.keys(errorCatalogue) as ErrorCode[]

function codesWhere(fits: (failure: ServiceError) => boolean): ErrorCode[] {
  return codes.filter((code) => fits(new ServiceError(code)))
}

const tokenFailures: readonly ErrorCode[] = [
  'rest_authentication_several_tokens',
  'rest_authentication_no_token',
  ...codesWhere(({ bearer }) => bearer === 'invalid_token'),
]
const sessionFailures: readonly ErrorCode[] = ['rest_not_logged_in', 'rest_cookie_invalid_nonce']

const accessFailures: Record<Access, readonly ErrorCode[]> = {
  anybody: [],
  person: sessionFailures,
  viewer: [...sessionFailures, ...tokenFailures],
  bearer: ['rest_not_logged_in', ...tokenFailures],
  client: [...codesWhere(({ oauth }) => oauth === 'invalid_client'), 'rest_too_many_attempts'],
  cookie: ['rest_not_logged_in'],
}

const bodyFailures: readonly ErrorCode[] = [
  'rest_missing_callback_param',
  'rest_invalid_param',
  'rest_invalid_json',
  'rest_invalid_body',
  'rest_request_too_large',
  'rest_unsupported_media_type',
]

const serviceFailures: readonly ErrorCode[] = [
  'rest_internal_error',
  'rest_service_unavailable',
  'rest_hook_timed_out',
]

/** Failures of the exchange in the dialect of WordPress. */
export const exchangeFailures: readonly ErrorCode[] = [
  ...codesWhere(({ oauth }) => oauth === 'invalid_client' || oauth === 'invalid_grant'),
  'rest_too_many_attempts',
]

/** @returns Every failure that an operation may answer with, each once. */
export function failuresOf(operation: Operation): ErrorCode[] {
  const { access, bodies, query, failures = [], path, isUnfailing } = operation
  const all: ErrorCode[] = [
    ...failures,
    ...accessFailures[access],
    ...(bodies ? bodyFailures : []),
    ...(query && operation.dialect !== 'proxy' ? (['rest_invalid_param'] as const) : []),
    ...(path.includes('{') ? (['rest_no_route'] as const) : []),
    ...(isUnfailing ? [] : serviceFailures),
  ]
  return [...new Set(all)]
}
