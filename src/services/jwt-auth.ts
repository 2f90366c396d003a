import type { PresentedToken } from '../domain/access-token.js'
import type { TokenPrincipal } from '../domain/actor.js'
import { hashSecret } from '../domain/key-pair.js'
import { expiredToken, formFault, timeFault } from '../domain/token-fault.js'
import type { User } from '../domain/user.js'
import { ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { DeviceState, KeyState } from '../store/key-states.js'
import type { AuditRecorder } from './audit/recorder.js'
import type { ChainPlace, DeviceService } from './devices.js'
import { createTokenChecks, type Proof } from './token-check.js'
import type { Subject } from './token-issuer.js'
import { refreshedSubject, subjectOf } from './token-subject.js'
import type { ClientSecret, Origin, TokenService, TokenServiceDeps } from './tokens.js'

/**
 * A key-pair, or its secret alone with whose it is: a login or an e-mail address. Or the key alone, if
 * an operator's hook vouches for it.
 */
export type PairCredentials =
  | ClientSecret
  | { login: string; apiSecret: string }
  | { vouchedApiKey: string }

export interface MintedToken {
  accessToken: string
  /** Its lifetime, in seconds. */
  expiresIn: number
  user: User
  apiKey: string
  scopes: readonly string[]
}

/** A refresh token, and until when it is good, in seconds since the Unix epoch. */
export interface RefreshCookie {
  value: string
  expiresAt: number
}

/**
 * What clients of usefulteam/jwt-auth do: they keep a refresh token in a cookie, mint short-lived
 * access tokens with it, and have it replaced now and then. Each device has one that is good; a client
 * that names no device shares the one of its key-pair without a name.
 */
export interface JwtAuthService {
  /**
   * Exchanges a key-pair for an access token, and begins the chain of its device anew.
   *
   * @param device At most 255 characters; empty if the client names none. Its access tokens are then
   *   of no device: several programs may use such a key-pair at once.
   * @throws {ServiceError} as `TokenService.exchange`, and `…_required_device` or `…_too_many_devices`.
   */
  logIn(
    credentials: PairCredentials,
    device: string,
    origin: Origin,
  ): Promise<MintedToken & { cookie: RefreshCookie }>
  /**
   * Makes an access token with a refresh token, which stays as it is.
   *
   * @param device As the client names it now; `undefined`: whatever the refresh token's is.
   * @throws {ServiceError} `rest_authentication_invalid_refresh_token`, `…_obsolete_refresh_token`,
   *   `…_expired_refresh_token`, or what else a refresh token of such a pair is refused with.
   */
  mint(refreshToken: string, device: string | undefined, origin: Origin): Promise<MintedToken>
  /** Replaces a refresh token by one of its own kind. @throws {ServiceError} as `mint`. */
  refresh(
    refreshToken: string,
    device: string | undefined,
    origin: Origin,
  ): Promise<RefreshCookie & Pick<MintedToken, 'user' | 'apiKey' | 'scopes'>>
  /**
   * The check of an access token.
   *
   * @throws {ServiceError} as `TokenService.authenticate`. The message of
   *   `rest_authentication_token_error` says what is wrong with the token.
   */
  validate(token: string, origin: Origin): Promise<TokenPrincipal>
}

export interface JwtAuthServiceDeps extends Omit<TokenServiceDeps, 'stores' | 'devices'> {
  stores: Pick<Stores, 'users' | 'keyPairs' | 'devices'>
  audit: Pick<AuditRecorder, 'issued'>
  tokens: Pick<TokenService, 'authenticate' | 'refresh'>
  devices: DeviceService
}

/** A refresh token that is genuine. Whether it is the good one of its device is not said. */
interface HeldToken {
  state: KeyState
  subject: Subject
  /** `undefined` if it is of none, and good as long as it has not expired. */
  chain: { device: DeviceState; generation: number | undefined } | undefined
}

const cookiePattern = /^([1-9]\d{0,15})\.[^.]+$/
const jwtPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/

export function createJwtAuthService(deps: JwtAuthServiceDeps): JwtAuthService {
  const { stores, audit, tokens, signer, tokenIssuer, devices, usage, scopes: defined, now } = deps
  const { prove, vouch, checkRefresh } = createTokenChecks(deps)

  async function proofOf(credentials: PairCredentials, origin: Origin): Promise<Proof> {
    if ('vouchedApiKey' in credentials) return vouch(credentials.vouchedApiKey, origin)
    return prove(await clientOf(credentials), origin)
  }

  async function clientOf(
    credentials: Exclude<PairCredentials, { vouchedApiKey: string }>,
  ): Promise<ClientSecret> {
    if ('apiKey' in credentials) return credentials
    const { login, apiSecret } = credentials
    const { hash } = hashSecret(apiSecret)
    const apiKey = await stores.keyPairs.findApiKeyBySecret(login, hash, now())
    // No API key has a space in it: this one is refused, and counted, like any that is unknown.
    return { apiKey: apiKey ?? `login ${login.toLowerCase()}`, apiSecret }
  }

  async function issue(subject: Subject, device: ChainPlace | undefined): Promise<MintedToken> {
    // Without a name it is not the device's but the key-pair's: whoever else uses the same pair
    // without one starts the chain over, and must not end the tokens that are in use here.
    const isOfDevice = device !== undefined && device.name !== ''
    const issued = await tokenIssuer.issueAccess(isOfDevice ? { ...subject, device } : subject)
    return { ...issued, ...ownerOf(subject) }
  }

  function cookieOf({ userId }: KeyState, place: ChainPlace): RefreshCookie {
    return { value: devices.cookieOf(userId, place), expiresAt: place.refreshExpiresAt }
  }

  /** What a refresh token stands for. @throws {ServiceError} */
  async function hold(text: string, device: string | undefined, origin: Origin) {
    const held = jwtPattern.test(text)
      ? await holdJwt(text, origin)
      : await holdCookie(text, origin)
    if (held.chain && device !== undefined) await assertDevice(held.chain.device, device)
    return held
  }

  async function holdCookie(text: string, origin: Origin): Promise<HeldToken> {
    const [, userId] = cookiePattern.exec(text) ?? []
    if (!userId) throw new ServiceError('rest_authentication_invalid_refresh_token')
    try {
      const { state, generation } = await devices.recall(text, origin)
      const subject = subjectOf(state, state.device.secretVersion, defined)
      return { state, subject, chain: { device: state.device, generation } }
    } catch (error) {
      const isUnknown =
        hasCode(error, 'rest_authentication_invalid_refresh_token') ||
        hasCode(error, 'rest_authentication_obsolete_refresh_token')
      if (!isUnknown) throw error
      const user = await stores.users.findById(Number(userId))
      throw new ServiceError(
        user
          ? 'rest_authentication_obsolete_refresh_token'
          : 'rest_authentication_invalid_refresh_token',
      )
    }
  }

  /** A refresh token of the other namespace. */
  async function holdJwt(text: string, origin: Origin): Promise<HeldToken> {
    try {
      const { token, state } = await checkRefresh(text, origin)
      const subject = refreshedSubject(token, state, defined)
      const { device } = state
      const generation = token.device?.generation
      return { state, subject, chain: token.device && device && { device, generation } }
    } catch (error) {
      if (!hasCode(error, 'rest_authentication_token_error')) throw error
      const isExpired = (await explain(text)) === expiredToken
      throw new ServiceError(
        isExpired
          ? 'rest_authentication_expired_refresh_token'
          : 'rest_authentication_invalid_refresh_token',
      )
    }
  }

  async function assertDevice({ keyPairId, name }: DeviceState, device: string): Promise<void> {
    if (name === device) return
    const others = await stores.devices.listByKeyPairs([keyPairId])
    throw new ServiceError(
      others.some((other) => other.name === device)
        ? 'rest_authentication_obsolete_refresh_token'
        : 'rest_authentication_invalid_refresh_token',
    )
  }

  async function explain(text: string): Promise<string> {
    const fault = formFault(text)
    if (fault !== undefined) return fault
    let token: PresentedToken
    try {
      token = signer.recall(text) ?? (await signer.verify(text))
    } catch (error) {
      if (hasCode(error, 'rest_authentication_token_error')) return 'Signature verification failed'
      throw error
    }
    return timeFault(token, now()) ?? 'Invalid token'
  }

  return {
    async logIn(credentials, device, origin) {
      const { state, secretVersion } = await proofOf(credentials, origin)
      if (device === '' && (deps.requireDevice || state.policy.requireDevice)) {
        throw new ServiceError('rest_authentication_required_device')
      }
      const subject = subjectOf(state, secretVersion, defined)
      const lifetimes = await tokenIssuer.lifetimes(subject, 'jwt-auth')
      const place = await devices.start(state, secretVersion, device, origin, lifetimes)
      const { keyPairId } = state
      usage.record({ keyPairId, at: now(), ip: origin.ip, secretVersion })
      audit.issued('token.exchanged', subject, origin)
      return { ...(await issue(subject, place)), cookie: cookieOf(state, place) }
    },

    async mint(refreshToken, device, origin) {
      const { state, subject, chain } = await hold(refreshToken, device, origin)
      if (chain) {
        // No grace here: a client that repeats a refreshing is told the successor there.
        if (chain.generation !== chain.device.generation) {
          throw new ServiceError('rest_authentication_obsolete_refresh_token')
        }
        devices.assertGood(chain.device, chain.generation)
      }
      usage.record({ keyPairId: state.keyPairId, at: now(), ip: origin.ip })
      audit.issued('token.refreshed', subject, origin)
      return issue(subject, chain?.device)
    },

    async refresh(refreshToken, device, origin) {
      const { state, subject, chain } = await hold(refreshToken, device, origin)
      if (jwtPattern.test(refreshToken)) {
        // Nothing is wished here, so there always is one.
        const { refreshToken: value = '' } = await tokens.refresh(refreshToken, origin)
        const { expiresAt = now() } = await signer.verify(value)
        return { value, expiresAt, ...ownerOf(subject) }
      }
      // A cookie is always of a chain.
      if (!chain) throw new ServiceError('rest_authentication_invalid_refresh_token')
      const lifetimes = await tokenIssuer.lifetimes(subject, 'jwt-auth')
      const place = await devices.rotate(chain.device, chain.generation, origin, lifetimes)
      usage.record({ keyPairId: state.keyPairId, at: now(), ip: origin.ip })
      audit.issued('token.refreshed', subject, origin)
      return { ...cookieOf(state, place), ...ownerOf(subject) }
    },

    async validate(token, origin) {
      try {
        return await tokens.authenticate(token, origin)
      } catch (error) {
        if (!hasCode(error, 'rest_authentication_token_error')) throw error
        const message = await explain(token)
        throw new ServiceError('rest_authentication_token_error', { message, cause: error })
      }
    },
  }
}

function ownerOf({ user, apiKey, scopes }: Subject) {
  return { user, apiKey, scopes }
}

function hasCode(error: unknown, code: ServiceError['code']): error is ServiceError {
  return error instanceof ServiceError && error.code === code
}
