import type { TokenClaims } from './domain/access-token.js'
import type { SigningAlgorithm } from './domain/signing-key.js'
import type { User } from './domain/user.js'

// What an operator may change in how Twinkey decides and what it says: one typed hook for each filter
// of WP-API/jwt-auth and of usefulteam/jwt-auth. docs/hooks.md has them in a table.

type Awaitable<T> = T | Promise<T>

/** In whose words tokens are asked for, and so which hooks shape them. */
export type TokenDialect = 'wordpress' | 'oauth' | 'jwt-auth'

/** What every hook gets beside its value. */
export interface HookContext {
  /** Aborted when the time limit is over: hand it to `fetch` and its like. */
  signal: AbortSignal
}

/** Any JSON object. */
export type JsonObject = Record<string, unknown>

/** Says no, in words for the client. */
export interface Refusal {
  refuse: string
}

/** A request to an API that is not Twinkey's own: in front of it, or embedding it. */
export interface GuardedRequest extends HookContext {
  surface: 'forward-auth' | 'require-token'
  /** `undefined` where the proxy has not been configured to say. */
  method: string | undefined
  /**
   * Without the query. `undefined` if it is not known, or if it is written in a way that other programs
   * read differently: with dot segments, double slashes, backslashes, encoded slashes and the like.
   */
  path: string | undefined
  ip: string | null
}

/** Tokens that are being made. */
export interface IssueContext extends HookContext {
  type: 'access' | 'refresh'
  dialect: TokenDialect
  user: User
  apiKey: string
  scopes: readonly string[]
  /** Seconds since the Unix epoch. */
  issuedAt: number
}

/** A token that is good as far as Twinkey is concerned. */
export interface CheckContext extends HookContext {
  type: 'access' | 'refresh'
  user: User
  apiKey: string
  scopes: readonly string[] | undefined
  /** Where the request came from; `undefined` where somebody asks about the token only. */
  ip: string | null | undefined
}

/** What a client sent to have it exchanged. It holds secrets: never log it. */
export interface Credentials extends HookContext {
  /** Of the body; of any type for JSON. */
  fields: Readonly<JsonObject>
  /** The header, if there was one. */
  authorization: string | undefined
  ip: string | null
}

/** What usefulteam's clients send. It holds secrets: never log it. */
export interface CustomCredentials extends HookContext {
  username: string | undefined
  password: string | undefined
  customAuth: unknown
  ip: string | null
}

/** The pair for which tokens are to be made. It must be alive, and its user active. */
export interface ChosenKeyPair {
  apiKey: string
}

export interface ResponseContext extends HookContext {
  user: User
  apiKey: string
  dialect: TokenDialect
}

/**
 * The filters, each from a default value to the one to use. Each may be async.
 *
 * What a hook returns is checked: a value of the wrong kind fails the request with 500, as throwing does.
 */
export interface Hooks {
  /** Whether a request is looked at, at all; else it passes as anonymous, whatever it brings. */
  isRestRequest(isRest: boolean, request: GuardedRequest): Awaitable<boolean>
  /** Whether a request must bring a token; if not, one that it brings is still checked. */
  requireToken(isRequired: boolean, request: GuardedRequest): Awaitable<boolean>
  /** What becomes of a request whose token was refused: anonymous at most. */
  invalidToken(
    refusal: { code: string; message: string },
    request: GuardedRequest,
  ): Awaitable<'refuse' | 'anonymous' | Refusal>
  /** Finds a key-pair by credentials of another kind than `api_key` and `api_secret`. */
  user(found: undefined, credentials: Credentials): Awaitable<ChosenKeyPair | Refusal | undefined>
  /** Lifetime of an access token, in seconds. */
  tokenExpires(seconds: number, context: IssueContext): Awaitable<number>
  /** Lifetime of a refresh token, in seconds. */
  refreshTokenExpires(seconds: number, context: IssueContext): Awaitable<number>
  /** Claims to add: the whole payload, or just what is new. */
  privateClaims(payload: Readonly<TokenClaims>, context: IssueContext): Awaitable<JsonObject>
  /** The body that answers an exchange. */
  tokenResponse(body: JsonObject, context: ResponseContext): Awaitable<JsonObject>
  /** Refuses a token that is good otherwise. */
  validateToken(
    payload: Readonly<TokenClaims>,
    context: CheckContext,
  ): Awaitable<Refusal | undefined>
  /** The JSON Schema that `OPTIONS` of the token route shows. */
  tokenSchema(schema: JsonObject, context: HookContext): Awaitable<JsonObject>
  /** The same of the key-pair routes. */
  keyPairSchema(schema: JsonObject, context: HookContext): Awaitable<JsonObject>

  /** Headers that pages of other origins may send. Asked once, at start. */
  corsAllowHeaders(
    names: readonly string[],
    context: HookContext,
  ): Awaitable<string | readonly string[]>
  /** The header that has the token. Asked once, at start. */
  authorizationHeader(name: string, context: HookContext): Awaitable<string>
  /** The issuer of tokens of that namespace; Twinkey's own stays good. Asked once, at start. */
  jwtAuthIssuer(issuer: string, context: HookContext): Awaitable<string>
  /** From when on a token is good, in seconds since the Unix epoch. */
  jwtAuthNotBefore(notBefore: number, context: IssueContext): Awaitable<number>
  /** Until when an access token is good, in seconds since the Unix epoch. */
  jwtAuthExpire(expire: number, context: IssueContext): Awaitable<number>
  /** Until when a refresh token is good, in seconds since the Unix epoch. */
  jwtAuthRefreshExpire(expire: number, context: IssueContext): Awaitable<number>
  /** Which of the keys that there are signs. */
  jwtAuthAlgorithm(
    algorithm: SigningAlgorithm,
    context: IssueContext & { available: readonly SigningAlgorithm[] },
  ): Awaitable<SigningAlgorithm>
  /** As `privateClaims`. */
  jwtAuthPayload(payload: Readonly<TokenClaims>, context: IssueContext): Awaitable<JsonObject>
  /** The envelope that answers an exchange. */
  jwtAuthCredentialResponse(body: JsonObject, context: ResponseContext): Awaitable<JsonObject>
  /** The envelope that answers a check. */
  jwtAuthTokenResponse(
    body: JsonObject,
    context: HookContext & { user: User; apiKey: string; payload: Readonly<TokenClaims> },
  ): Awaitable<JsonObject>
  /** Refuses a token that is good otherwise, by saying why. */
  extraTokenCheck(
    reason: '',
    context: CheckContext & { payload: Readonly<TokenClaims> },
  ): Awaitable<string>
  /** As `user`, for what usefulteam's clients send. */
  customAuth(
    found: undefined,
    credentials: CustomCredentials,
  ): Awaitable<ChosenKeyPair | Refusal | undefined>
}

export type HookName = keyof Hooks

/** What each hook is called in the plugins. */
export const originalNames = {
  isRestRequest: 'rest_authentication_is_rest_request',
  requireToken: 'rest_authentication_require_token',
  invalidToken: 'rest_authentication_invalid_token',
  user: 'rest_authentication_user',
  tokenExpires: 'rest_authentication_token_expires',
  refreshTokenExpires: 'rest_authentication_refresh_token_expires',
  privateClaims: 'rest_authentication_token_private_claims',
  tokenResponse: 'rest_authentication_token_response',
  validateToken: 'rest_authentication_validate_token',
  tokenSchema: 'rest_authentication_token_schema',
  keyPairSchema: 'rest_authentication_key_pair_schema',
  corsAllowHeaders: 'jwt_auth_cors_allow_headers',
  authorizationHeader: 'jwt_auth_authorization_header',
  jwtAuthIssuer: 'jwt_auth_iss',
  jwtAuthNotBefore: 'jwt_auth_not_before',
  jwtAuthExpire: 'jwt_auth_expire',
  jwtAuthRefreshExpire: 'jwt_auth_refresh_expire',
  jwtAuthAlgorithm: 'jwt_auth_alg',
  jwtAuthPayload: 'jwt_auth_payload',
  jwtAuthCredentialResponse: 'jwt_auth_valid_credential_response',
  jwtAuthTokenResponse: 'jwt_auth_valid_token_response',
  extraTokenCheck: 'jwt_auth_extra_token_check',
  customAuth: 'jwt_auth_do_custom_auth',
} as const satisfies Record<HookName, string>

type OriginalHooks = { [Name in HookName as (typeof originalNames)[Name]]: Hooks[Name] }

/** Hooks under their own names or under those of the plugins; not one under both. */
export type GivenHooks = Partial<Hooks> & Partial<OriginalHooks>

/** What has happened. Times are seconds since the Unix epoch; there is never a secret or a token in it. */
export interface Events {
  keyPairMinted: KeyPairEvent & { name: string }
  /** Its name or its limits. */
  keyPairChanged: KeyPairEvent & { name: string }
  /** It has got another secret. */
  keyPairRotated: KeyPairEvent & { name: string }
  keyPairRevoked: {
    at: number
    userId: number
    /** `undefined`: all that the user had. */
    apiKey: string | undefined
    /** How many. */
    count: number
    reason: 'revoked' | 'revoked_all' | 'password_changed'
    by: number | null
  }
  tokenIssued: TokenEvent
  tokenRefreshed: TokenEvent
  tokenRefused: {
    at: number
    /** What was asked for. */
    during: 'exchange' | 'refresh' | 'check'
    /** Of the failure, e.g. `rest_authentication_revoked_api_key`. */
    code: string
    /** As the client gave it; `undefined` where a token was presented, or no key at all. */
    apiKey: string | undefined
    ip: string | null
  }
  userChanged: {
    at: number
    userId: number
    change: 'created' | 'password_changed' | 'disabled' | 'enabled' | 'expiry_changed' | 'deleted'
    /** Who did it; `null` for an operator. */
    by: number | null
  }
}

interface KeyPairEvent {
  at: number
  userId: number
  apiKey: string
  /** Who did it; `null` for an operator. */
  by: number | null
}

interface TokenEvent {
  at: number
  userId: number
  apiKey: string
  dialect: TokenDialect
  scopes: readonly string[]
  /** Lifetime of the access token, in seconds; `undefined` if only the refresh token was replaced. */
  expiresIn: number | undefined
  ip: string | null
}

export type EventName = keyof Events

export const eventNames = [
  'keyPairMinted',
  'keyPairChanged',
  'keyPairRotated',
  'keyPairRevoked',
  'tokenIssued',
  'tokenRefreshed',
  'tokenRefused',
  'userChanged',
] as const satisfies readonly EventName[]

/** Called after the fact: they can neither delay nor change the answer. */
export type Actions = {
  [Name in EventName]: (event: Events[Name], context: HookContext) => Awaitable<void>
}

/** How `/forward-auth` learns what the client asked the proxy for. Without it, nothing is public. */
export interface ForwardAuthOptions {
  /**
   * What can be had without a token: paths, e.g. `/health` or `/public/*`, with a method in front
   * where only that is public, e.g. `GET /articles/*`.
   */
  publicPaths?: readonly string[]
  /**
   * The header in which *your proxy*, and nobody else, gives the client's path, e.g.
   * `X-Forwarded-Uri`; `request` if the proxy appends it to `/forward-auth`.
   */
  uriFrom?: string
  /** The same for the method, e.g. `X-Forwarded-Method`; `request` if the proxy asks with it. */
  methodFrom?: string
}

/** What `twinkey.config.ts` exports, and what can be given when embedding. */
export interface Extensions {
  hooks?: GivenHooks
  actions?: Partial<Actions>
  /** Longest that a hook may take, in milliseconds; 2000 if absent. */
  hookTimeoutMs?: number
  forwardAuth?: ForwardAuthOptions
}

/**
 * Types what `twinkey.config.ts` exports.
 *
 * @example
 * export default defineConfig({ hooks: { tokenExpires: () => 3600 } })
 */
export function defineConfig(config: Extensions): Extensions {
  return config
}
