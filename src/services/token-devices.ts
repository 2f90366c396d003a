import type { PresentedToken } from '../domain/access-token.js'
import { ServiceError } from '../errors.js'
import type { KeyState } from '../store/key-states.js'
import type { Proof } from './token-check.js'
import type { OAuthGrant, Subject } from './token-issuer.js'
import type { Origin, TokenServiceDeps } from './tokens.js'

// Where exchanges and refreshes meet devices. What can be refused is refused first: a request that
// gets no tokens must not have used up those that there are.

export interface TokenDevices {
  /**
   * The subject with the chain that begins with this exchange; the subject itself if no device is
   * named.
   *
   * @param grant What an OAuth client asks for.
   * @throws {ServiceError} `rest_authentication_required_device` or `…_too_many_devices`.
   */
  begin(
    subject: Subject,
    proof: Proof,
    device: string | undefined,
    origin: Origin,
    grant?: OAuthGrant,
  ): Promise<Subject>
  /**
   * The subject with the place in the chain that follows that of a refresh token; the subject itself
   * if the token is of no device.
   *
   * @throws {ServiceError} also `rest_authentication_invalid_device`.
   */
  follow(
    subject: Subject,
    token: Pick<PresentedToken, 'device'>,
    state: KeyState,
    device: string | undefined,
    origin: Origin,
    grant?: OAuthGrant,
  ): Promise<Subject>
}

export type TokenDevicesDeps = Pick<TokenServiceDeps, 'devices' | 'tokenIssuer' | 'requireDevice'>

const dialectOf = ({ dialect = 'wordpress' }: Origin, grant: OAuthGrant | undefined) =>
  grant ? 'oauth' : dialect

export function createTokenDevices(deps: TokenDevicesDeps): TokenDevices {
  const { devices, tokenIssuer, requireDevice } = deps

  function assertNeedsNone({ policy }: KeyState): void {
    if (!requireDevice && !policy.requireDevice) return
    throw new ServiceError('rest_authentication_required_device')
  }

  return {
    async begin(subject, { state, secretVersion }, device, origin, grant) {
      if (device === undefined) {
        assertNeedsNone(state)
        return subject
      }
      const lifetimes = await tokenIssuer.lifetimes(subject, dialectOf(origin, grant))
      // Whoever asks for no refresh token has none that could live.
      const isRefreshable = grant
        ? tokenIssuer.assertGrant(subject, grant).isOffline
        : tokenIssuer.isRefreshable(subject)
      if (!isRefreshable) lifetimes.refresh = 0
      const place = await devices.start(state, secretVersion, device, origin, lifetimes)
      return { ...subject, device: place }
    },

    async follow(subject, token, state, device, origin, grant) {
      // Of a token without a device no device was asked for, so none that is named now is its own.
      if (device !== undefined && device !== state.device?.name) {
        throw new ServiceError('rest_authentication_invalid_device')
      }
      if (!state.device) {
        assertNeedsNone(state)
        return subject
      }
      if (grant) tokenIssuer.assertGrant(subject, grant)
      const lifetimes = await tokenIssuer.lifetimes(subject, dialectOf(origin, grant))
      const generation = token.device?.generation
      const place = await devices.rotate(state.device, generation, origin, lifetimes)
      return { ...subject, device: place }
    },
  }
}
