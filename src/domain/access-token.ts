/** Lifetimes and claims of our JWTs. Times are seconds since the Unix epoch (RFC 7519, section 2). */

export interface TokenUser {
  id: number
  login: string
  email: string
}

/** The claims we write. The `data.user` object is what WP-API/jwt-auth clients read. */
export interface TokenClaims {
  iss: string
  iat: number
  nbf: number
  exp: number
  jti: string
  sub: string
  /** Who may accept it (RFC 7519, section 4.1.3). The WordPress dialect names nobody. */
  aud?: string | readonly string[]
  /** RFC 8693, section 4.3: the API key, in the words of OAuth. */
  client_id?: string
  /** Space-separated (RFC 8693, section 4.2). */
  scope?: string
  data: {
    user: {
      id: number
      type: 'wp_user'
      user_login: string
      user_email: string
      api_key: string
      token_type?: 'refresh'
      /** Which secret of the pair it was made with; absent for the first. */
      secret_version?: number
      /** The device that it was issued to, and the chain of refresh tokens that it dies with. */
      device?: string
      device_chain?: string
      /** Of refresh tokens: how often that chain had been rotated when this one was issued. */
      device_rotation?: number
      /** Whether it can be revoked by its `jti`, which is on the list of registered tokens. */
      revocable?: true
    }
  }
}

export type TokenType = 'access' | 'refresh'

/** What a token of a device says of it. */
export interface TokenDevice {
  name: string
  chain: string
  /** Of refresh tokens. */
  generation?: number
}

export interface NewToken {
  type: TokenType
  issuer: string
  user: TokenUser
  apiKey: string
  /** Lifetime in seconds. */
  lifetime: number
  issuedAt: number
  id: string
  /** Of the secret that was exchanged; 0, the first, if absent. */
  secretVersion?: number
  device?: TokenDevice | undefined
  /** Only of access tokens that are on the list of registered ones. */
  isRegistered?: boolean
  /** Absent where the key-pair has none. */
  scopes?: readonly string[]
  /** Only of OAuth's access tokens. */
  audience?: readonly string[]
}

/** The header's `typ`: plain, or an access token as RFC 9068, section 2.1 has it. */
export type TokenHeaderType = 'JWT' | 'at+jwt'

export function buildClaims(token: NewToken): TokenClaims {
  return {
    iss: token.issuer,
    iat: token.issuedAt,
    nbf: token.issuedAt,
    exp: token.issuedAt + token.lifetime,
    jti: token.id,
    sub: String(token.user.id),
    ...(token.audience && {
      aud: token.audience.length === 1 ? String(token.audience[0]) : token.audience,
      client_id: token.apiKey,
    }),
    ...(token.scopes?.length && { scope: token.scopes.join(' ') }),
    data: {
      user: {
        id: token.user.id,
        type: 'wp_user',
        user_login: token.user.login,
        user_email: token.user.email,
        api_key: token.apiKey,
        ...(token.type === 'refresh' && { token_type: 'refresh' }),
        ...(token.secretVersion && { secret_version: token.secretVersion }),
        ...(token.device && deviceClaims(token.device)),
        ...(token.isRegistered && { revocable: true }),
      },
    },
  }
}

function deviceClaims({ name, chain, generation }: TokenDevice) {
  return {
    // One without a name has a chain all the same.
    ...(name !== '' && { device: name }),
    device_chain: chain,
    ...(generation !== undefined && { device_rotation: generation }),
  }
}

/**
 * What a correctly signed token says, in our words. A claim that is absent or of the wrong type is
 * `undefined`, so that each check below can name what is missing.
 */
export interface PresentedToken {
  issuer: string | undefined
  issuedAt: number | undefined
  notBefore: number | undefined
  expiresAt: number | undefined
  userId: number | undefined
  login: string | undefined
  email: string | undefined
  apiKey: string | undefined
  tokenType: string | undefined
  /** It dies with this secret of its pair. */
  secretVersion: number
  /** `undefined` if it is none of a device's. */
  device: TokenDevice | undefined
  isRegistered: boolean
  id: string | undefined
  /** `undefined` if it names nobody; empty if it does so in a way that is none. */
  audience: readonly string[] | undefined
  /** `undefined` if it does not say; the whole of its key-pair's then. */
  scopes: readonly string[] | undefined
}

/**
 * @param claims The parsed payload of a token whose signature has been verified.
 * @returns `undefined` if a time claim is present but is not a finite number: such a token was never
 *   ours, and skipping the claim would make it live for ever.
 */
export function readClaims(claims: Record<string, unknown>): PresentedToken | undefined {
  for (const name of ['exp', 'nbf', 'iat']) {
    if (claims[name] !== undefined && !Number.isFinite(claims[name])) return undefined
  }
  const data = asObject(claims.data)
  const user = asObject(data.user)
  return {
    issuer: asString(claims.iss),
    issuedAt: asNumber(claims.iat),
    notBefore: asNumber(claims.nbf),
    expiresAt: asNumber(claims.exp),
    userId: asUserId(user.id),
    login: asString(user.user_login),
    email: asString(user.user_email),
    apiKey: asString(user.api_key),
    tokenType: asString(user.token_type),
    secretVersion: asNumber(user.secret_version) ?? 0,
    device: asDevice(user),
    isRegistered: user.revocable === true,
    id: asString(claims.jti),
    audience: asAudience(claims.aud),
    scopes: asString(claims.scope)?.split(' '),
  }
}

/** `true` while the token may be used: neither expired nor from the future. No leeway. */
export function isCurrent(token: PresentedToken, now: number): boolean {
  if (token.expiresAt !== undefined && now >= token.expiresAt) return false
  if (token.notBefore !== undefined && token.notBefore > now) return false
  return token.issuedAt === undefined || token.issuedAt <= now
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function asString(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** Half a device is one all the same: of a chain that is nowhere to be found. */
function asDevice(user: Record<string, unknown>): TokenDevice | undefined {
  const { device, device_chain: chain, device_rotation: generation } = user
  if (device === undefined && chain === undefined) return undefined
  return {
    name: typeof device === 'string' ? device : '',
    chain: asString(chain) ?? '',
    ...(typeof generation === 'number' && { generation }),
  }
}

function asAudience(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  const names: unknown[] = Array.isArray(value) ? value : [value]
  return names.every((name) => typeof name === 'string') ? names : []
}

function asUserId(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined
}
