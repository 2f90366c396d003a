import { isCurrent, type PresentedToken, type TokenUser } from '../domain/access-token.js'
import { isExpiredUser, isUsable } from '../domain/user.js'
import { tokenIdPattern } from '../domain/registered-token.js'
import { maxApiKeyLength, nobodysSecrets, versionOfSecret } from '../domain/key-pair.js'
import { aboutSubject, type RefusalSubject, ServiceError } from '../errors.js'
import type { DeviceState, KeyState } from '../store/key-states.js'
import type { DeviceService } from './devices.js'
import type { TokenVerdict } from './hooks/verdict.js'
import type { TokenMark } from './key-state-reader.js'
import { assertLiveSecret, assertPolicy } from './token-subject.js'
import type { ClientSecret, Origin, TokenServiceDeps } from './tokens.js'

// What decides, for every request, about the credential that it brings: a key-pair's secret, an access
// token or a refresh token. Each reads the state of the key and its user once, as it is now.

/** A pair that has proven one of its secrets. */
export interface Proof {
  state: KeyState
  secretVersion: number
}

/** A token that says all that a token has to say. */
export type CheckedToken = PresentedToken & { expiresAt: number; userId: number; apiKey: string }

export interface TokenChecks {
  /** The state of a pair whose secret is right and which may be used now. @throws {ServiceError} */
  prove(client: ClientSecret, origin: Origin): Promise<Proof>
  /** The same for a pair that an operator's hook vouches for. @throws {ServiceError} */
  vouch(apiKey: string, origin: Origin): Promise<Proof>
  /**
   * The check on every request: signature, claims, and the key's and user's state as of now. The
   * order of the refusals is the plugin's.
   *
   * @param ip As for `assertPolicy`.
   * @throws {ServiceError}
   */
  check(
    text: string,
    ip: string | null | undefined,
  ): Promise<{ token: CheckedToken; state: KeyState }>
  /**
   * The same for a refresh token, in the order and the words of the plugin's. Of a device's, whether
   * it is the good one of its chain is not said here.
   *
   * @throws {ServiceError}
   */
  checkRefresh(text: string, origin: Origin): Promise<{ token: PresentedToken; state: KeyState }>
}

export type TokenChecksDeps = Pick<
  TokenServiceDeps,
  'stores' | 'keyStates' | 'signer' | 'tokenIssuer' | 'limiter' | 'issuer' | 'hooks' | 'now'
> & { devices: Pick<DeviceService, 'assertGood'> }

/** Anything else cannot be a key of ours: not worth a query, and safe in a byte-wise comparison. */
const apiKeyPattern = new RegExp(`^[0-9A-Za-z_-]{1,${maxApiKeyLength}}$`)

export function createTokenChecks(deps: TokenChecksDeps): TokenChecks {
  const { stores, keyStates, signer, tokenIssuer, limiter, devices, issuer, hooks, now } = deps
  const verdict: TokenVerdict | undefined = hooks?.verdict
  const otherIssuer = hooks?.jwtAuthIssuer

  function readState(apiKey: string, mark?: TokenMark): Promise<KeyState | undefined> | undefined {
    return apiKeyPattern.test(apiKey) ? keyStates.read(apiKey, mark) : undefined
  }

  async function prove({ apiKey, apiSecret }: ClientSecret, origin: Origin): Promise<Proof> {
    const state = await readState(apiKey)
    const secretVersion = versionOfSecret(state ?? nobodysSecrets, apiSecret, now())
    if (!state || secretVersion === undefined) {
      const about = state ? subjectOf(state, 'wrong_secret') : { reason: 'unknown_api_key' }
      throw aboutSubject(await limiter.refuse(apiKey, origin.ip), about)
    }
    assertUsable(state, origin)
    return { state, secretVersion }
  }

  async function vouch(apiKey: string, origin: Origin): Promise<Proof> {
    const state = await readState(apiKey)
    if (!state) throw new ServiceError('rest_authentication_invalid_api_key_secret')
    assertUsable(state, origin)
    return { state, secretVersion: state.secretVersion }
  }

  function assertUsable(state: KeyState, origin: Origin): void {
    try {
      assertUsableFrom(state, origin)
    } catch (error) {
      throw aboutSubject(error, subjectOf(state))
    }
  }

  function assertUsableFrom(state: KeyState, { ip }: Origin): void {
    if (state.revokedAt !== null) throw new ServiceError('rest_authentication_revoked_api_key')
    if (state.user.status !== 'active') {
      throw new ServiceError('rest_authentication_disabled_user')
    }
    if (isExpiredUser(state.user, now())) {
      throw new ServiceError('rest_authentication_expired_user')
    }
    assertPolicy(state, now(), ip)
  }

  function assertIssuer(token: PresentedToken): void {
    if (token.issuer === issuer) return
    if (otherIssuer !== undefined && token.issuer === otherIssuer) return
    throw new ServiceError('rest_authentication_invalid_token_issuer')
  }

  function assertCurrent(token: PresentedToken): void {
    if (!isCurrent(token, now())) throw new ServiceError('rest_authentication_token_error')
  }

  async function checkClaims(
    token: PresentedToken,
    text: string,
    ip: string | null | undefined,
  ): Promise<{ token: CheckedToken; state: KeyState }> {
    assertCurrent(token)
    assertIssuer(token)
    if (!tokenIssuer.accepts(token.audience)) {
      throw new ServiceError('rest_authentication_invalid_token_audience')
    }
    if (token.userId === undefined) {
      throw new ServiceError('rest_authentication_missing_token_user_id')
    }
    const mark = markOf(token)
    const state = token.apiKey === undefined ? undefined : await readState(token.apiKey, mark)
    // Only a token that is about to be refused asks a second time, to be told the true reason.
    const user =
      state?.userId === token.userId ? state.user : await stores.users.findById(token.userId)
    if (!user || !isUsable(user, now())) {
      throw new ServiceError('rest_authentication_invalid_token_wp_user')
    }
    assertSameUser(token, user)
    if (token.expiresAt === undefined) {
      throw new ServiceError('rest_authentication_missing_token_expiration')
    }
    if (token.apiKey === undefined) {
      throw new ServiceError('rest_authentication_missing_token_api_key')
    }
    if (!state || state.userId !== token.userId || state.revokedAt !== null) {
      throw new ServiceError('rest_authentication_revoked_api_key')
    }
    assertLiveSecret(token, state, now())
    if (mark) {
      const device = assertMarks(token, state)
      if (device && token.tokenType === 'refresh') {
        devices.assertGood(device, token.device?.generation)
      }
    }
    assertPolicy(state, now(), ip)
    if (verdict) await verdict(text, token, state, ip)
    return { token: token as CheckedToken, state }
  }

  async function checkRefreshClaims(
    token: PresentedToken,
    text: string,
    { ip }: Origin,
  ): Promise<{ token: PresentedToken; state: KeyState }> {
    assertCurrent(token)
    if (token.userId === undefined) {
      throw new ServiceError('rest_authentication_missing_refresh_token_user_id')
    }
    if (token.tokenType !== 'refresh') {
      throw new ServiceError('rest_authentication_invalid_token_type')
    }
    assertIssuer(token)
    if (token.expiresAt === undefined) {
      throw new ServiceError('rest_authentication_missing_token_expiration')
    }
    if (token.apiKey === undefined) {
      throw new ServiceError('rest_authentication_missing_refresh_token_api_key')
    }
    const mark = markOf(token)
    const state = await readState(token.apiKey, mark)
    if (!state || state.userId !== token.userId || state.revokedAt !== null) {
      const user = await stores.users.findById(token.userId)
      if (!user) throw new ServiceError('rest_authentication_invalid_refresh_token')
      throw new ServiceError('rest_authentication_revoked_api_key', {
        message: 'Refresh token is invalid the API key has been revoked.',
      })
    }
    if (!isUsable(state.user, now())) {
      throw new ServiceError('rest_authentication_invalid_refresh_token')
    }
    assertSameUser(token, state.user)
    assertLiveSecret(token, state, now())
    if (mark) assertMarks(token, state)
    assertPolicy(state, now(), ip)
    if (verdict) await verdict(text, token, state, ip)
    return { token, state }
  }

  /** Whose token was refused is known for sure once its signature is. */
  async function attributed<T>(
    text: string,
    decide: (token: PresentedToken) => Promise<T>,
  ): Promise<T> {
    const token = signer.recall(text) ?? (await signer.verify(text))
    try {
      return await decide(token)
    } catch (error) {
      const { userId, apiKey } = token
      throw aboutSubject(error, { userId, apiKey })
    }
  }

  return {
    prove,
    vouch,
    check: (text, ip) => attributed(text, (token) => checkClaims(token, text, ip)),
    checkRefresh: (text, origin) =>
      attributed(text, (token) => checkRefreshClaims(token, text, origin)),
  }
}

const chainPattern = /^[\w-]{22}$/

/** @returns `undefined` for the many tokens that nothing but their key decides about. */
function markOf({ device, isRegistered, id = '' }: PresentedToken): TokenMark | undefined {
  if (!device && !isRegistered) return undefined
  // What has another form is nowhere to be found, and MySQL might fail at looking for it.
  const isChain = device !== undefined && chainPattern.test(device.chain)
  return {
    ...(isChain && { chain: device.chain }),
    ...(isRegistered && tokenIdPattern.test(id) && { registeredId: id }),
  }
}

/**
 * That the device of a token is signed in, and that a registered token has not been revoked.
 *
 * @returns The device, if the token has one.
 * @throws {ServiceError} `rest_authentication_device_signed_out` or `…_revoked_token`.
 */
function assertMarks(token: PresentedToken, state: KeyState): DeviceState | undefined {
  const { device, registration, keyPairId } = state
  if (token.device && (device?.keyPairId !== keyPairId || device.endedAt !== null)) {
    throw new ServiceError('rest_authentication_device_signed_out')
  }
  const isRevoked = registration?.keyPairId !== keyPairId || registration.revokedAt !== null
  if (token.isRegistered && isRevoked) throw new ServiceError('rest_authentication_revoked_token')
  return device
}

function subjectOf({ userId, apiKey }: KeyState, reason?: string): RefusalSubject {
  return { userId, apiKey, ...(reason && { reason }) }
}

/** A login or e-mail that has changed since makes the token another person's. */
function assertSameUser(token: PresentedToken, user: TokenUser): void {
  if (token.login !== user.login) {
    throw new ServiceError('rest_authentication_invalid_token_user_login')
  }
  if (token.email !== user.email) {
    throw new ServiceError('rest_authentication_invalid_token_user_email')
  }
}
