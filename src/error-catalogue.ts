/** What is the same for all failures of a kind. */
export interface Failure {
  status: number
  /** What OAuth calls it at the token endpoint (RFC 6749, section 5.2); else `invalid_request`. */
  oauth?: string
  /**
   * What a resource tells the bearer of a token (RFC 6750, section 3.1); empty where none came, and
   * absent where a token has nothing to do with it.
   */
  bearer?: '' | 'invalid_token' | 'insufficient_scope' | 'invalid_request'
  message: string
}

/**
 * Every failure a caller can act on, in one table: the WordPress code, the HTTP status and the
 * message. The codes, statuses and messages under `rest_authentication_*` are what clients of the
 * WP-API/jwt-auth plugin already match on, so they are part of the wire protocol; the other codes
 * are WordPress core's own where it has one.
 */
export const errorCatalogue = {
  // The exchange
  rest_authentication_required_api_key_secret: {
    status: 403,
    oauth: 'invalid_client',
    message: 'An API key-pair is required to generate a token.',
  },
  rest_authentication_invalid_api_key_secret: {
    status: 403,
    oauth: 'invalid_client',
    message: 'The API key-pair is invalid.',
  },
  rest_authentication_revoked_api_key: {
    status: 403,
    oauth: 'invalid_client',
    bearer: 'invalid_token',
    message: 'Token is invalid the API key has been revoked.',
  },
  rest_authentication_disabled_user: {
    status: 403,
    oauth: 'invalid_client',
    message: 'The user account is disabled.',
  },
  rest_authentication_expired_user: {
    status: 403,
    oauth: 'invalid_client',
    message: 'The user account has expired.',
  },
  rest_authentication_expired_api_key: {
    status: 403,
    oauth: 'invalid_client',
    bearer: 'invalid_token',
    message: 'The API key has expired.',
  },
  rest_authentication_network_not_allowed: {
    status: 403,
    oauth: 'invalid_client',
    bearer: 'invalid_token',
    message: 'The API key may not be used from this network.',
  },
  rest_authentication_replaced_api_secret: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'The API secret that this token was made with has been replaced.',
  },
  rest_authentication_invalid_token_type: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'Refresh token user must have a token_type of refresh.',
  },
  rest_authentication_missing_refresh_token_user_id: {
    status: 403,
    oauth: 'invalid_grant',
    message: 'Refresh token user must have an ID.',
  },
  rest_authentication_missing_refresh_token_api_key: {
    status: 403,
    oauth: 'invalid_grant',
    message: 'Refresh token user must have an API key.',
  },
  rest_authentication_invalid_refresh_token: {
    status: 403,
    oauth: 'invalid_grant',
    message: 'The refresh token is invalid.',
  },

  // Devices
  rest_authentication_required_device: {
    status: 403,
    oauth: 'invalid_request',
    message: 'This key-pair is exchanged for the tokens of a device only: name it with device.',
  },
  rest_authentication_invalid_device: {
    status: 403,
    oauth: 'invalid_grant',
    message: 'The refresh token was not issued to this device.',
  },
  rest_authentication_device_signed_out: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'The device has been signed out, or has started over.',
  },
  rest_authentication_obsolete_refresh_token: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'The refresh token has been replaced.',
  },
  rest_authentication_expired_refresh_token: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'The refresh token has expired.',
  },
  rest_authentication_reused_refresh_token: {
    status: 403,
    oauth: 'invalid_grant',
    message: 'The refresh token had been replaced and was used again: the device is signed out.',
  },
  rest_authentication_too_many_devices: {
    status: 409,
    message: 'The key-pair has as many devices as it may have. Sign out one that is not used.',
  },
  rest_device_not_found: { status: 404, message: 'The key-pair has no such device.' },

  // Registered tokens
  rest_authentication_too_many_tokens: {
    status: 409,
    message:
      'The key-pair has as many revocable tokens as it may have. Revoke one that is not used.',
  },
  rest_token_not_found: { status: 404, message: 'The key-pair has no such token on its list.' },
  rest_authentication_revoked_token: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'The token has been revoked.',
  },

  rest_authentication_foreign_token: {
    status: 403,
    oauth: 'invalid_grant',
    message: 'The token was issued to another key-pair.',
  },
  rest_authentication_unsupported_grant_type: {
    status: 400,
    oauth: 'unsupported_grant_type',
    message: 'The grant type must be client_credentials or refresh_token.',
  },
  rest_authentication_invalid_scope: {
    status: 400,
    oauth: 'invalid_scope',
    message: 'The key-pair does not have all of these scopes.',
  },
  rest_authentication_invalid_target: {
    status: 400,
    oauth: 'invalid_target',
    message: 'No tokens are issued for this resource.',
  },

  // The check of a token
  rest_authentication_invalid_bearer_token: {
    status: 403,
    bearer: '',
    message: 'Invalid bearer token.',
  },
  rest_authentication_no_token: {
    status: 403,
    bearer: '',
    message: 'Authentication token is missing.',
  },
  rest_authentication_token_error: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'Invalid bearer token.',
  },
  rest_authentication_invalid_token_issuer: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'Token issuer is invalid.',
  },
  rest_authentication_invalid_token_audience: {
    status: 403,
    bearer: 'invalid_token',
    message: 'Token is meant for somebody else.',
  },
  rest_authentication_missing_token_user_id: {
    status: 403,
    bearer: 'invalid_token',
    message: 'Token user must have an ID.',
  },
  rest_authentication_missing_token_api_key: {
    status: 403,
    bearer: 'invalid_token',
    message: 'Token user must have an API key.',
  },
  rest_authentication_missing_token_expiration: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'Token must have an expiration.',
  },
  rest_authentication_refused_token: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'The token was refused.',
  },
  insufficient_scope: {
    status: 403,
    bearer: 'insufficient_scope',
    message: 'The token does not have the scope that this needs.',
  },
  rest_authentication_invalid_token_wp_user: {
    status: 403,
    bearer: 'invalid_token',
    message: 'Token user is invalid.',
  },
  rest_authentication_invalid_token_user_login: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'Token user_login is invalid.',
  },
  rest_authentication_invalid_token_user_email: {
    status: 403,
    oauth: 'invalid_grant',
    bearer: 'invalid_token',
    message: 'Token user_email is invalid.',
  },

  // Clients of usefulteam/jwt-auth; what else they are told is in http/jwt-auth/words.ts
  jwt_auth_missing_credentials: { status: 401, message: 'Username and password are required' },
  jwt_auth_custom_auth_failed: { status: 401, message: 'Custom authentication failed.' },
  jwt_auth_no_auth_cookie: { status: 401, message: 'Refresh token cookie not found.' },
  empty_username: { status: 401, message: 'Error: The username field is empty.' },
  empty_password: { status: 401, message: 'Error: The password field is empty.' },

  // Key-pairs
  rest_authentication_edit_user_error: {
    status: 403,
    message: 'You do not have permission to edit this user.',
  },
  rest_authentication_invalid_user_error: { status: 403, message: 'The user does not exist.' },
  rest_authentication_required_name_error: {
    status: 403,
    message: 'The key-pair name is required.',
  },
  rest_authentication_key_pair_not_found: {
    status: 404,
    message: 'No active key-pair with this API key was found.',
  },
  rest_key_pair_rotation_conflict: {
    status: 409,
    message:
      'The secret was rotated a moment ago, or the overlap of its last rotation is not over. Rotate with an overlap of 0 to end it.',
  },

  // Sessions and users
  rest_authentication_several_tokens: {
    status: 400,
    bearer: 'invalid_request',
    message: 'A request carries its token in one place only.',
  },
  rest_not_logged_in: { status: 401, bearer: '', message: 'You are not currently logged in.' },
  rest_cookie_invalid_nonce: { status: 403, message: 'Cookie check failed' },
  rest_cross_origin: { status: 403, message: 'This request came from another site.' },
  rest_too_many_attempts: {
    status: 429,
    oauth: 'temporarily_unavailable',
    message: 'Too many failed attempts. Try again later.',
  },
  incorrect_password: { status: 401, message: 'The username or password is incorrect.' },
  rest_authentication_second_factor_required: {
    status: 401,
    message:
      'This user has a second factor. Send its code too, as "otp": six digits of the authenticator app, or a recovery code.',
  },
  rest_authentication_invalid_second_factor: {
    status: 401,
    message: 'The code or passkey is wrong, was used before, or came too late.',
  },
  rest_authentication_step_up_required: {
    status: 403,
    message:
      'This needs the second factor anew: send it to POST /session/second-factor, as "otp", then repeat the request.',
  },
  rest_authentication_second_factor_missing: {
    status: 403,
    message: 'This needs a second factor. Set one up on the profile page first.',
  },
  rest_login_ended: { status: 401, message: 'The time to log in is over. Start again.' },
  rest_second_factor_exists: { status: 409, message: 'An authenticator app is set up already.' },
  rest_second_factor_offer_ended: {
    status: 409,
    message: 'This QR code is not good any more. Start again.',
  },
  rest_passkeys_unavailable: { status: 409, message: 'Passkeys cannot be used here.' },
  rest_passkey_refused: {
    status: 400,
    message: 'The passkey was not accepted: it is known already, or came too late. Start again.',
  },
  rest_passkey_not_found: { status: 404, message: 'There is no such passkey any more.' },
  rest_user_incorrect_password: { status: 403, message: 'The current password is incorrect.' },
  rest_user_invalid_id: { status: 404, message: 'Invalid user ID.' },
  rest_user_cannot_view: { status: 403, message: 'Sorry, you are not allowed to list users.' },
  rest_forbidden_context: {
    status: 403,
    message: 'Sorry, you are not allowed to edit this user.',
  },
  rest_cannot_create_user: {
    status: 403,
    message: 'Sorry, you are not allowed to create new users.',
  },
  rest_user_is_self: { status: 409, message: 'You cannot do this to your own account.' },
  rest_user_last_administrator: {
    status: 409,
    message: 'This is the last active administrator.',
  },
  rest_session_not_found: { status: 404, message: 'This session has already ended.' },
  rest_key_pair_already_minted: {
    status: 409,
    message: 'This form was sent before, and its key-pair was created then.',
  },
  existing_user_login: { status: 409, message: 'Sorry, that username already exists!' },
  existing_user_email: { status: 409, message: 'Sorry, that email address is already used!' },

  // The shape of a request
  rest_no_route: {
    status: 404,
    message: 'No route was found matching the URL and request method.',
  },
  rest_missing_callback_param: { status: 400, message: 'Missing parameter(s)' },
  rest_invalid_param: { status: 400, message: 'Invalid parameter(s)' },
  rest_invalid_json: { status: 400, message: 'Invalid JSON body passed.' },
  rest_invalid_body: { status: 400, message: 'The request body could not be read.' },
  rest_request_too_large: { status: 413, message: 'The request body is too large.' },
  rest_unsupported_media_type: {
    status: 415,
    message:
      'The request body must be application/x-www-form-urlencoded, multipart/form-data or application/json.',
  },

  // The service itself
  rest_service_unavailable: {
    status: 503,
    oauth: 'temporarily_unavailable',
    message: 'The service cannot reach its database. Try again shortly.',
  },
  rest_hook_timed_out: {
    status: 504,
    oauth: 'temporarily_unavailable',
    message: 'An extension of the service took too long.',
  },
  rest_internal_error: {
    status: 500,
    oauth: 'server_error',
    message: 'Something went wrong on the server.',
  },
} as const satisfies Record<string, Failure>

export type ErrorCode = keyof typeof errorCatalogue
