import type { PresentedToken } from '../domain/access-token.js'
import { isLiveVersion } from '../domain/key-pair.js'
import { type DefinedScope, isAllowedFrom, isExpired, scopesOf } from '../domain/key-pair-policy.js'
import { offlineAccess } from '../domain/scope.js'
import { ServiceError } from '../errors.js'
import type { KeyState } from '../store/key-states.js'
import type { Subject } from './token-issuer.js'

// What a pair's policy, and the secret that a token was made with, say about a use of the pair.

/**
 * @param ip The client's address; `undefined` where nobody uses the pair, but asks about it.
 * @throws {ServiceError} `rest_authentication_expired_api_key` or `…_network_not_allowed`.
 */
export function assertPolicy(
  { policy }: Pick<KeyState, 'policy'>,
  now: number,
  ip: string | null | undefined,
): void {
  if (isExpired(policy, now)) throw new ServiceError('rest_authentication_expired_api_key')
  if (ip !== undefined && !isAllowedFrom(policy.networks, ip)) {
    throw new ServiceError('rest_authentication_network_not_allowed')
  }
}

/** @throws {ServiceError} `rest_authentication_replaced_api_secret` */
export function assertLiveSecret(token: PresentedToken, state: KeyState, now: number): void {
  if (isLiveVersion(state, token.secretVersion, now)) return
  throw new ServiceError('rest_authentication_replaced_api_secret')
}

/** Whose tokens are to be made for a pair that has proven the secret of this version. */
export function subjectOf(
  { user, apiKey, policy }: KeyState,
  secretVersion: number,
  defined: readonly DefinedScope[],
): Subject {
  const scopes = scopesOf(policy, defined)
  return { user, apiKey, scopes, secretVersion, expiresAt: policy.expiresAt }
}

/**
 * The same for a pair that has proven a refresh token. The pair may have lost scopes since; a token
 * never gains one that it had not.
 *
 * @throws {ServiceError} `rest_authentication_invalid_scope` if none is left.
 */
export function refreshedSubject(
  token: PresentedToken,
  state: KeyState,
  defined: readonly DefinedScope[],
): Subject {
  const subject = subjectOf(state, token.secretVersion, defined)
  if (!token.scopes) return subject
  const current = [...subject.scopes, offlineAccess]
  const scopes = token.scopes.filter((scope) => current.includes(scope))
  if (scopes.length === 0) throw new ServiceError('rest_authentication_invalid_scope')
  return { ...subject, scopes }
}

/** Whoever refreshes once may do so again. */
export function offline(subject: Subject): Subject {
  return { ...subject, scopes: [...new Set([...subject.scopes, offlineAccess])] }
}
