import { randomUUID } from 'node:crypto'
import {
  buildClaims,
  type NewToken,
  type TokenClaims,
  type TokenHeaderType,
  type TokenType,
} from '../domain/access-token.js'
import { refreshTokenId } from '../domain/device.js'
import { addClaims } from '../domain/added-claims.js'
import { boundedLifetime } from '../domain/key-pair-policy.js'
import { grantScopes, offlineAccess } from '../domain/scope.js'
import { type TokenWishes, wishedLifetime } from '../domain/token-wishes.js'
import type { User } from '../domain/user.js'
import { invalidParameters, ServiceError } from '../errors.js'
import type { TokenDialect } from '../hooks.js'
import type { ChainLifetimes, ChainPlace } from './devices.js'
import type { ShapedToken, TokenShaper } from './hooks/shaping.js'
import type { TokenSigner } from './token-signer.js'

/** What a client asks of its tokens in the dialect of OAuth. */
export interface OAuthGrant {
  /** `undefined`: all that it may have. */
  scopes: readonly string[] | undefined
  /** Who is to accept the access token (RFC 8707); empty: whoever does by default. */
  resources: readonly string[]
  /** Whose tokens they are to be. */
  device?: string | undefined
  wishes?: TokenWishes | undefined
}

export interface IssuedTokens {
  accessToken: string
  /** Unless the client wants none. In the dialect of OAuth it has to be asked for. */
  refreshToken: string | undefined
  /** Lifetime of the access token, in seconds. */
  expiresIn: number
  user: User
  apiKey: string
  scopes: readonly string[]
  /** Of the access token, if it is to be registered before it is handed out. */
  registration?: TokenRegistration | undefined
}

/** What the list of registered tokens says of one. Times are in seconds. */
export interface TokenRegistration {
  tokenId: string
  issuedAt: number
  expiresAt: number
}

/** Whose tokens they are to be: somebody who has proven to be entitled to them. */
export interface Subject {
  user: User
  apiKey: string
  /** The most that the tokens may carry, beside OAuth's `offline_access`. */
  scopes: readonly string[]
  /** Which secret of the pair they descend from, and die with. */
  secretVersion: number
  /** When the pair dies, if it does: no token lives longer. */
  expiresAt: number | null
  /** The place in its chain that the refresh token stands for. */
  device?: ChainPlace
  /** What the client has chosen of its access token. */
  wishes?: TokenWishes | undefined
}

export interface IssuedAccessToken {
  accessToken: string
  /** Lifetime, in seconds. */
  expiresIn: number
}

export interface TokenIssuer {
  /**
   * Tokens as the WordPress plugins make them.
   *
   * @throws {ServiceError} `rest_invalid_param` if it is to live longer than it may.
   */
  issue(subject: Subject, dialect?: TokenDialect): Promise<IssuedTokens>
  /** An access token alone, for clients of usefulteam/jwt-auth. */
  issueAccess(subject: Subject): Promise<IssuedAccessToken>
  /**
   * Tokens as OAuth has them.
   *
   * @throws {ServiceError} `rest_authentication_invalid_scope` or `…_invalid_target`.
   */
  grant(subject: Subject, grant: OAuthGrant): Promise<IssuedTokens>
  /** Whether `issue` makes a refresh token for it, too. */
  isRefreshable(subject: Subject): boolean
  /** Throws what `grant` would, without making tokens. */
  assertGrant(subject: Subject, grant: OAuthGrant): { readonly isOffline: boolean }
  /** How long tokens of this subject would live. @throws {ServiceError} what a hook makes of it. */
  lifetimes(subject: Subject, dialect: TokenDialect): Promise<ChainLifetimes>
  /** Whether a token meant for `audience` is meant for us. `undefined`: it names nobody. */
  accepts(audience: readonly string[] | undefined): boolean
}

export interface TokenIssuerDeps {
  signer: TokenSigner
  issuer: string
  /** Who else may accept our tokens; the first is meant by default. */
  audiences: readonly [string, ...string[]]
  accessTokenTtl: number
  refreshTokenTtl: number
  /** The same in the dialect of usefulteam/jwt-auth. */
  jwtAuth: { accessTokenTtl: number; refreshTokenTtl: number }
  /** What the operator's hooks make of tokens, by dialect. */
  shapers?: Partial<Record<TokenDialect, TokenShaper>>
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createTokenIssuer(deps: TokenIssuerDeps): TokenIssuer {
  const { signer, issuer, audiences, shapers = {}, now } = deps
  const known = [...new Set([...audiences, issuer])]

  function audienceOf(resources: readonly string[]): readonly string[] {
    if (resources.length === 0) return [audiences[0]]
    const found = resources.map((resource) => known.find((name) => isSameUri(name, resource)))
    if (found.includes(undefined)) throw new ServiceError('rest_authentication_invalid_target')
    return [...new Set(found as string[])]
  }

  function ttlOf(type: TokenType, dialect: TokenDialect): number {
    const ttls = dialect === 'jwt-auth' ? deps.jwtAuth : deps
    return type === 'access' ? ttls.accessTokenTtl : ttls.refreshTokenTtl
  }

  function build(
    type: TokenType,
    subject: Subject,
    dialect: TokenDialect,
    audience?: readonly string[],
  ): TokenClaims {
    const { device: place } = subject
    if (type === 'refresh' && place) return buildClaims(refreshOfDevice(subject, place))
    const ttl = ttlOf(type, dialect)
    const issuedAt = now()
    const lifetime = boundedLifetime(subject, ttl, issuedAt)
    const device = place && { name: place.name, chain: place.chain }
    const isRegistered = type === 'access' && subject.wishes?.isRevocable === true
    const common = { type, issuer, lifetime, issuedAt, id: randomUUID(), device, isRegistered }
    const token = { ...subject, ...common }
    return buildClaims(audience ? { ...token, audience } : token)
  }

  /** All of it is the place's, nothing the moment's: who asks again gets the same token. */
  function refreshOfDevice(subject: Subject, place: ChainPlace): NewToken {
    const { name, chain, generation, issuedAt, refreshExpiresAt } = place
    return {
      ...subject,
      type: 'refresh',
      issuer,
      lifetime: refreshExpiresAt - issuedAt,
      issuedAt,
      id: refreshTokenId(chain, generation),
      device: { name, chain, generation },
    }
  }

  async function shaped(
    type: TokenType,
    subject: Subject,
    dialect: TokenDialect,
    { audience, isPlan = false }: { audience?: readonly string[] | undefined; isPlan?: boolean },
  ): Promise<ShapedToken> {
    const built = build(type, subject, dialect, audience)
    const wishes = type === 'access' ? subject.wishes : undefined
    const shape = shapers[dialect]
    if (!shape) return { claims: wishes ? asWished(built, wishes) : built }
    const available = signer.algorithms(type)
    const context = { type, dialect, subject, available, isPlan }
    const { claims, algorithm } = await shape(built, context)
    if (wishes) return { claims: asWished(claims, wishes), algorithm }
    // Until when was settled with the place, with the hook's consent.
    const isSettled = type === 'refresh' && subject.device
    return { claims: isSettled ? { ...claims, exp: built.exp } : claims, algorithm }
  }

  async function sign(
    type: TokenType,
    subject: Subject,
    dialect: TokenDialect,
    audience?: readonly string[],
  ): Promise<{ text: string; lifetime: number; registration?: TokenRegistration }> {
    const typ: TokenHeaderType = audience ? 'at+jwt' : 'JWT'
    const { claims, algorithm } = await shaped(type, subject, dialect, { audience })
    const text = await signer.sign(claims, typ, algorithm)
    const signed = { text, lifetime: claims.exp - claims.iat }
    if (!claims.data.user.revocable) return signed
    const { jti: tokenId, iat: issuedAt, exp: expiresAt } = claims
    return { ...signed, registration: { tokenId, issuedAt, expiresAt } }
  }

  function isRefreshable({ wishes }: Subject): boolean {
    // What is to be revoked alone should not leave behind what makes another one.
    return wishes?.isRefreshable ?? wishes?.isRevocable !== true
  }

  function plan(subject: Subject, { scopes: requested, resources }: OAuthGrant) {
    const scopes = requested
      ? grantScopes(requested, [...subject.scopes, offlineAccess])
      : subject.scopes
    if (!scopes) throw new ServiceError('rest_authentication_invalid_scope')
    const isOffline = subject.wishes?.isRefreshable ?? scopes.includes(offlineAccess)
    return { scopes, audience: audienceOf(resources), isOffline }
  }

  return {
    async issue(subject, dialect = 'wordpress') {
      const { user, apiKey, scopes } = subject
      const access = await sign('access', subject, dialect)
      const { text: accessToken, lifetime: expiresIn, registration } = access
      const refresh = isRefreshable(subject) ? await sign('refresh', subject, dialect) : undefined
      const refreshToken = refresh?.text
      return { accessToken, refreshToken, expiresIn, user, apiKey, scopes, registration }
    },

    async issueAccess(subject) {
      const { text: accessToken, lifetime: expiresIn } = await sign('access', subject, 'jwt-auth')
      return { accessToken, expiresIn }
    },

    async grant(subject, grant) {
      const { user, apiKey, device } = subject
      const { scopes, audience, isOffline } = plan(subject, grant)
      const granted = { ...subject, scopes }
      const access = await sign('access', granted, 'oauth', audience)
      // A device that has used up one refresh token must get the next, whatever scopes it asks for.
      const isRotated = device !== undefined && device.generation > 0
      const refresh = isOffline || isRotated ? await sign('refresh', granted, 'oauth') : undefined
      return {
        accessToken: access.text,
        refreshToken: refresh?.text,
        expiresIn: access.lifetime,
        user,
        apiKey,
        scopes,
        registration: access.registration,
      }
    },

    isRefreshable,

    assertGrant: plan,

    async lifetimes(subject, dialect) {
      const lifetime = async (type: TokenType) => {
        const { claims } = await shaped(type, subject, dialect, { isPlan: true })
        return claims.exp - claims.iat
      }
      return { access: await lifetime('access'), refresh: await lifetime('refresh') }
    },

    accepts: (audience) => audience === undefined || audience.some((name) => known.includes(name)),
  }
}

/**
 * Hooks have had their say: a wish can only shorten what they allow, and adds beside what they added.
 *
 * @throws {ServiceError} `rest_invalid_param`
 */
function asWished(claims: TokenClaims, wishes: TokenWishes): TokenClaims {
  const lifetime = wishedLifetime(wishes, claims.iat, claims.exp - claims.iat)
  if (typeof lifetime !== 'number') throw invalidParameters(lifetime)
  const limited = { ...claims, exp: claims.iat + lifetime }
  return wishes.claims ? addClaims(limited, wishes.claims).claims : limited
}

/** Clients put a URL through a parser, which ends an origin with a slash. */
function isSameUri(name: string, uri: string): boolean {
  return uri === name || uri === `${name}/`
}
