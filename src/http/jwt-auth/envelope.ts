import type { ServiceError } from '../../errors.js'
import type { MintedToken } from '../../services/jwt-auth.js'
import { type Subject, wordFor } from './words.js'

// usefulteam/jwt-auth wraps its answers, good and bad. What WordPress itself would say of a request
// (its body cannot be read, say) has WordPress's own form there, and so it has here.

/** Any failure of a request in the words of usefulteam/jwt-auth. */
export class JwtAuthFailure extends Error {
  override readonly name = 'JwtAuthFailure'
  readonly subject: Subject

  constructor(cause: unknown, subject: Subject) {
    super('A request in the words of usefulteam/jwt-auth failed', { cause })
    this.subject = subject
  }
}

/** Runs what answers such a request. @throws {JwtAuthFailure} */
export async function inJwtAuth<T>(subject: Subject, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof JwtAuthFailure ? error : new JwtAuthFailure(error, subject)
  }
}

/** Whether a failure is about the credential or the token, and not about the request or about us. */
export function isRefusal({ status }: ServiceError): boolean {
  return status === 401 || status === 403
}

export function presentJwtAuthError(error: ServiceError, subject: Subject) {
  if (!isRefusal(error)) return { status: error.status, headers: {}, body: error.toJSON() }
  // Their answers about refresh tokens have no `data`.
  const data = subject === 'refresh_token' ? {} : { data: [] }
  const body = { success: false, statusCode: 401, ...wordFor(error, subject), ...data }
  return { status: 401, headers: {}, body }
}

/** The answer to a credential, or to a refresh token that an access token is minted with. */
export function presentMinted({ accessToken, user }: MintedToken) {
  return {
    success: true,
    statusCode: 200,
    code: 'jwt_auth_valid_credential',
    message: 'Credential is valid',
    data: {
      token: accessToken,
      id: user.id,
      email: user.email,
      nicename: user.nicename,
      firstName: user.firstName,
      lastName: user.lastName,
      displayName: user.displayName,
    },
  }
}

const valid = {
  success: true,
  statusCode: 200,
  code: 'jwt_auth_valid_token',
  message: 'Token is valid',
}

/** The answer to an access token that is good. */
export function presentValid() {
  return { ...valid, data: [] }
}

/** @param refreshToken For clients that sent theirs in the body: they may not see cookies. */
export function presentRefreshed(refreshToken: string | undefined) {
  return refreshToken === undefined ? valid : { ...valid, data: { refresh_token: refreshToken } }
}
