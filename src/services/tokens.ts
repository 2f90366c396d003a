import type { PresentedToken, TokenType } from '../domain/access-token.js'
import type { KeyPairPrincipal, TokenPrincipal } from '../domain/actor.js'
import { type DefinedScope, effectiveScopes } from '../domain/key-pair-policy.js'
import type { Origin as RequestOrigin } from '../domain/origin.js'
import { isRefreshCookie } from '../domain/refresh-cookie.js'
import { grantScopes, offlineAccess } from '../domain/scope.js'
import { type TokenWishes, wishProblems } from '../domain/token-wishes.js'
import { invalidParameters, ServiceError } from '../errors.js'
import type { TokenDialect } from '../hooks.js'
import type { Stores } from '../store/index.js'
import type { KeyState } from '../store/key-states.js'
import type { Use } from '../store/key-pairs.js'
import type { DeviceService } from './devices.js'
import type { HookSet } from './hooks/index.js'
import type { KeyStateReader } from './key-state-reader.js'
import type { RegisteredTokenService } from './registered-tokens.js'
import type { ExchangeLimiter } from './rate-limits.js'
import { createTokenChecks, type Proof } from './token-check.js'
import { createTokenDevices } from './token-devices.js'
import type { IssuedTokens, OAuthGrant, Subject, TokenIssuer } from './token-issuer.js'
import type { TokenSigner } from './token-signer.js'
import { offline, refreshedSubject, subjectOf } from './token-subject.js'
import type { UsageRecorder } from './usage-recorder.js'

/** Where a request came from. */
export interface Origin extends RequestOrigin {
  /** In whose words it asks for tokens; those of WP-API/jwt-auth if absent. */
  dialect?: TokenDialect
}

export type { IssuedTokens, OAuthGrant } from './token-issuer.js'

/** What a client may ask for beside the tokens themselves. */
export interface ExchangeOptions {
  /** Fewer than the pair has. */
  scopes?: readonly string[] | undefined
  /** Whose tokens they are to be: 1 to 255 characters. Its refresh tokens rotate. */
  device?: string | undefined
  /** What is to be different about the access token. */
  wishes?: TokenWishes | undefined
}

/** A key-pair as OAuth's clients present it: `client_id` and `client_secret`. */
export interface ClientSecret {
  apiKey: string
  apiSecret: string
}

export interface ValidToken {
  type: TokenType
  /** Seconds until it expires. */
  expiresIn: number
}

/** What somebody who asks about a token is told. */
export interface TokenInspection {
  /** What it says; `undefined` if its signature or its shape is not that of a token of ours. */
  token: PresentedToken | undefined
  /** Why it would be refused, now; `undefined` if it would not. */
  refusal: ServiceError | undefined
}

export interface TokenService {
  /**
   * Exchanges a key-pair for tokens.
   *
   * @throws {ServiceError} `rest_authentication_invalid_api_key_secret` or, after too many of those,
   *   `rest_too_many_attempts`; only to somebody who
   *   has the right secret, `rest_authentication_revoked_api_key`, `…_disabled_user`,
   *   `…_expired_api_key`, `…_network_not_allowed`, `…_invalid_scope`, `…_required_device`,
   *   `…_too_many_devices`, `…_too_many_tokens` or `rest_invalid_param`.
   */
  exchange(
    apiKey: string,
    apiSecret: string,
    origin: Origin,
    options?: ExchangeOptions,
  ): Promise<IssuedTokens>
  /**
   * Tokens for a key-pair that an operator's hook vouches for, instead of its secret.
   *
   * @throws {ServiceError} as `exchange`.
   */
  exchangeVouched(apiKey: string, origin: Origin, options?: ExchangeOptions): Promise<IssuedTokens>
  /**
   * Exchanges a refresh token for new tokens. That of a device is replaced by it.
   *
   * @param options.device If given, the token has to be of this device.
   * @throws {ServiceError}
   */
  refresh(
    refreshToken: string,
    origin: Origin,
    options?: Pick<ExchangeOptions, 'device' | 'wishes'>,
  ): Promise<IssuedTokens>
  /**
   * Exchanges a key-pair for tokens in OAuth's dialect.
   *
   * @throws {ServiceError} as `exchange`, and `rest_authentication_invalid_scope` or `…_target`.
   */
  grant(client: ClientSecret, origin: Origin, grant: OAuthGrant): Promise<IssuedTokens>
  /**
   * Exchanges a refresh token, with the key-pair that it was made from, for tokens in OAuth's
   * dialect.
   *
   * @throws {ServiceError}
   */
  grantByRefresh(
    client: ClientSecret,
    refreshToken: string,
    origin: Origin,
    grant: OAuthGrant,
  ): Promise<IssuedTokens>
  /** Proves who sends a request by a key-pair's own secret. @throws {ServiceError} as `exchange`. */
  authenticateClient(client: ClientSecret, origin: Origin): Promise<KeyPairPrincipal>
  /** Says whether an access or refresh token is good, now. @throws {ServiceError} */
  validate(token: string, origin: Origin): Promise<ValidToken>
  /** Proves who sends a request by its access token. @throws {ServiceError} */
  authenticate(token: string, origin: Origin): Promise<TokenPrincipal>
  /** Explains a token. Looking at one is no use of its key-pair, so nothing is recorded. */
  inspect(token: string): Promise<TokenInspection>
}

export interface TokenServiceDeps {
  stores: Pick<Stores, 'users'>
  keyStates: KeyStateReader
  signer: TokenSigner
  usage: UsageRecorder
  tokenIssuer: TokenIssuer
  devices: Pick<DeviceService, 'start' | 'rotate' | 'assertGood' | 'recall'>
  registeredTokens: Pick<RegisteredTokenService, 'assertRoom' | 'register'>
  limiter: ExchangeLimiter
  /** Whether every exchange has to name a device. */
  requireDevice: boolean
  /** All that there are. */
  scopes: readonly DefinedScope[]
  /** Claims that clients may add. */
  extraClaims: readonly string[]
  issuer: string
  hooks?: Pick<HookSet, 'verdict' | 'jwtAuthIssuer'>
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createTokenService(deps: TokenServiceDeps): TokenService {
  const { signer, usage, tokenIssuer, devices, registeredTokens, now } = deps
  const { scopes: defined, extraClaims } = deps
  const { prove, vouch, check, checkRefresh } = createTokenChecks(deps)
  const { begin, follow } = createTokenDevices(deps)

  /** Only somebody with a key-pair learns what may be wished. @throws {ServiceError} */
  async function assertWishes(wishes: TokenWishes, { keyPairId }: KeyState): Promise<void> {
    const problems = wishProblems(wishes, extraClaims)
    if (Object.keys(problems).length > 0) throw invalidParameters(problems)
    if (wishes.isRevocable) await registeredTokens.assertRoom(keyPairId)
  }

  /** A token that is to be on the list is handed out only when it is. @throws {ServiceError} */
  async function registered(
    issued: IssuedTokens,
    state: KeyState,
    { device, wishes }: Subject,
    origin: Origin,
  ): Promise<IssuedTokens> {
    const { registration } = issued
    if (!registration) return issued
    const name = device?.name ?? null
    const description = wishes?.description ?? ''
    await registeredTokens.register(state, { ...registration, device: name, description }, origin)
    return issued
  }

  async function issueFor(
    proof: Proof,
    origin: Origin,
    { scopes: requested, device, wishes }: ExchangeOptions = {},
  ): Promise<IssuedTokens> {
    const { state, secretVersion } = proof
    const { ip, dialect } = origin
    const subject = subjectOf(state, secretVersion, defined)
    const scopes = requested ? grantScopes(requested, subject.scopes) : subject.scopes
    if (!scopes) {
      const { userId, apiKey } = state
      throw new ServiceError('rest_authentication_invalid_scope', { about: { userId, apiKey } })
    }
    if (wishes) await assertWishes(wishes, state)
    const begun = await begin({ ...subject, scopes, wishes }, proof, device, origin)
    usage.record({ keyPairId: state.keyPairId, at: now(), ip, secretVersion })
    const issued = await tokenIssuer.issue(begun, dialect)
    return registered(issued, state, begun, origin)
  }

  function useOf({ keyPairId, registration }: KeyState, ip: string | null): Use {
    return { keyPairId, at: now(), ip, tokenId: registration?.tokenId }
  }

  /** What a refresh token is good for, be it a JWT or that of a cookie. @throws {ServiceError} */
  async function hold(text: string, origin: Origin) {
    if (!isRefreshCookie(text)) {
      const { token, state } = await checkRefresh(text, origin)
      return { token, state, subject: refreshedSubject(token, state, defined) }
    }
    const { state, generation } = await devices.recall(text, origin)
    const { name, chain, secretVersion } = state.device
    const token = { device: { name, chain, generation } }
    return { token, state, subject: subjectOf(state, secretVersion, defined) }
  }

  return {
    async exchange(apiKey, apiSecret, origin, options) {
      return issueFor(await prove({ apiKey, apiSecret }, origin), origin, options)
    },

    async exchangeVouched(apiKey, origin, options) {
      return issueFor(await vouch(apiKey, origin), origin, options)
    },

    async grant(client, origin, grant) {
      const { ip } = origin
      const proof = await prove(client, origin)
      const { state, secretVersion } = proof
      if (grant.wishes) await assertWishes(grant.wishes, state)
      const subject = { ...subjectOf(state, secretVersion, defined), wishes: grant.wishes }
      const begun = await begin(subject, proof, grant.device, origin, grant)
      const tokens = await tokenIssuer.grant(begun, grant)
      usage.record({ keyPairId: state.keyPairId, at: now(), ip, secretVersion })
      return registered(tokens, state, begun, origin)
    },

    async refresh(text, origin, { device, wishes } = {}) {
      const { ip, dialect } = origin
      const { token, state, subject } = await hold(text, origin)
      if (wishes) await assertWishes(wishes, state)
      const kept = { isRefreshable: true }
      const wishful = wishes ? { ...subject, wishes: { ...wishes, ...kept } } : subject
      const followed = await follow(wishful, token, state, device, origin)
      usage.record({ keyPairId: state.keyPairId, at: now(), ip })
      const issued = await tokenIssuer.issue(followed, dialect)
      return registered(issued, state, followed, origin)
    },

    async grantByRefresh(client, text, origin, grant) {
      const { ip } = origin
      const proof = await prove(client, origin)
      const { token, state } = await checkRefresh(text, origin)
      if (state.apiKey !== proof.state.apiKey) {
        throw new ServiceError('rest_authentication_invalid_refresh_token')
      }
      if (grant.wishes) await assertWishes(grant.wishes, state)
      const refreshed = offline(refreshedSubject(token, state, defined))
      const subject = { ...refreshed, wishes: grant.wishes }
      const followed = await follow(subject, token, state, grant.device, origin, grant)
      const tokens = await tokenIssuer.grant(followed, grant)
      const { secretVersion } = proof
      usage.record({ keyPairId: state.keyPairId, at: now(), ip, secretVersion })
      return registered(tokens, state, followed, origin)
    },

    async authenticateClient(client, { ip }) {
      const { state, secretVersion } = await prove(client, { ip })
      const { keyPairId, user, apiKey } = state
      usage.recordBearer({ keyPairId, at: now(), ip, secretVersion })
      return { kind: 'key_pair', user, apiKey }
    },

    async validate(text, { ip }) {
      const { token, state } = await check(text, ip)
      usage.recordBearer(useOf(state, ip))
      return {
        type: token.tokenType === 'refresh' ? 'refresh' : 'access',
        expiresIn: token.expiresAt - now(),
      }
    },

    async authenticate(text, { ip }) {
      const { token, state } = await check(text, ip)
      if (token.tokenType !== undefined && token.tokenType !== 'access') {
        throw new ServiceError('rest_authentication_invalid_token_type', {
          message: 'A refresh token cannot authenticate a request.',
        })
      }
      usage.recordBearer(useOf(state, ip))
      const scopes = effectiveScopes(token.scopes, state.policy, defined)
      return { kind: 'token', user: state.user, apiKey: state.apiKey, scopes }
    },

    async inspect(text) {
      let token: PresentedToken | undefined
      try {
        token = await signer.verify(text)
        const { state } = await check(text, undefined)
        const scopes = effectiveScopes(token.scopes, state.policy, defined)
        if (token.scopes?.includes(offlineAccess)) scopes.push(offlineAccess)
        return {
          token: { ...token, scopes: scopes.length > 0 ? scopes : undefined },
          refusal: undefined,
        }
      } catch (error) {
        // A database or a hook that does not answer says nothing about the token.
        if (!(error instanceof ServiceError) || error.status >= 500) throw error
        return { token, refusal: error }
      }
    },
  }
}
