import type { ErrorCode, ServiceError } from '../../errors.js'

// What a failure is called under /jwt-auth/v1: the words of usefulteam/jwt-auth, as its clients match
// on them. Failures that it does not know keep our code and message.

/** What was looked at when it failed: a credential, a refresh token or an access token. */
export type Subject = 'credential' | 'refresh_token' | 'access_token'

export interface Word {
  code: string
  message: string
}

interface Vocabulary {
  word: Word
  codes: readonly ErrorCode[]
  /** Ours says more than theirs. */
  keepsMessage?: boolean
}

const refreshTokens: readonly Vocabulary[] = [
  {
    word: { code: 'jwt_auth_invalid_refresh_token', message: 'Invalid refresh token' },
    codes: [
      'rest_authentication_invalid_refresh_token',
      'rest_authentication_disabled_user',
      'rest_authentication_expired_user',
      'rest_authentication_token_error',
      'rest_authentication_invalid_token_type',
      'rest_authentication_invalid_token_issuer',
      'rest_authentication_missing_token_expiration',
      'rest_authentication_missing_refresh_token_user_id',
      'rest_authentication_missing_refresh_token_api_key',
      'rest_authentication_invalid_scope',
    ],
  },
  {
    word: { code: 'jwt_auth_invalid_refresh_token', message: '' },
    codes: ['rest_authentication_network_not_allowed'],
    keepsMessage: true,
  },
  {
    word: { code: 'jwt_auth_obsolete_refresh_token', message: '' },
    codes: ['rest_authentication_refused_token'],
    keepsMessage: true,
  },
  {
    word: { code: 'jwt_auth_obsolete_refresh_token', message: 'Refresh token is obsolete' },
    codes: [
      'rest_authentication_obsolete_refresh_token',
      'rest_authentication_reused_refresh_token',
      'rest_authentication_device_signed_out',
      'rest_authentication_invalid_device',
      'rest_authentication_revoked_api_key',
      'rest_authentication_expired_api_key',
      'rest_authentication_replaced_api_secret',
      'rest_authentication_invalid_token_user_login',
      'rest_authentication_invalid_token_user_email',
    ],
  },
  {
    word: { code: 'jwt_auth_expired_refresh_token', message: 'Refresh token has expired' },
    codes: ['rest_authentication_expired_refresh_token'],
  },
]

const accessTokens: readonly Vocabulary[] = [
  {
    word: { code: 'jwt_auth_no_auth_header', message: 'Authorization header not found.' },
    codes: ['rest_not_logged_in'],
  },
  {
    word: { code: 'jwt_auth_bad_auth_header', message: 'Authorization header malformed.' },
    codes: ['rest_authentication_no_token'],
  },
  {
    word: { code: 'jwt_auth_bad_iss', message: 'The iss do not match with this server.' },
    codes: ['rest_authentication_invalid_token_issuer'],
  },
  {
    word: { code: 'jwt_auth_bad_request', message: 'User ID not found in the token.' },
    codes: ['rest_authentication_missing_token_user_id'],
  },
  {
    word: { code: 'jwt_auth_invalid_token', message: 'Invalid token' },
    codes: ['rest_authentication_invalid_token_wp_user'],
  },
  {
    word: { code: 'jwt_auth_invalid_token', message: '' },
    codes: [
      'rest_authentication_token_error',
      'rest_authentication_invalid_token_type',
      'rest_authentication_invalid_token_audience',
      'rest_authentication_missing_token_expiration',
      'rest_authentication_missing_token_api_key',
      'rest_authentication_network_not_allowed',
    ],
    keepsMessage: true,
  },
  {
    word: { code: 'jwt_auth_obsolete_token', message: '' },
    codes: ['rest_authentication_refused_token'],
    keepsMessage: true,
  },
  {
    word: { code: 'jwt_auth_obsolete_token', message: 'Token is obsolete' },
    codes: [
      'rest_authentication_revoked_api_key',
      'rest_authentication_expired_api_key',
      'rest_authentication_replaced_api_secret',
      'rest_authentication_device_signed_out',
      'rest_authentication_revoked_token',
      'rest_authentication_invalid_token_user_login',
      'rest_authentication_invalid_token_user_email',
    ],
  },
]

const vocabularies: Record<Subject, ReadonlyMap<ErrorCode, Vocabulary>> = {
  credential: new Map(),
  refresh_token: byCode(refreshTokens),
  access_token: byCode(accessTokens),
}

function byCode(vocabulary: readonly Vocabulary[]): ReadonlyMap<ErrorCode, Vocabulary> {
  return new Map(vocabulary.flatMap((entry) => entry.codes.map((code) => [code, entry] as const)))
}

/** @returns What `error` is called where `subject` was looked at. */
export function wordFor({ code, message }: ServiceError, subject: Subject): Word {
  const entry = vocabularies[subject].get(code)
  if (!entry) return { code, message }
  return entry.keepsMessage ? { ...entry.word, message } : entry.word
}
