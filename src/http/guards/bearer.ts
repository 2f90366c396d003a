import { ServiceError } from '../../errors.js'

/** RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1). */
const bearerPattern = /^bearer(?: +|$)/i

/** Other schemes (a staging server's Basic, say) are somebody else's business. */
export function hasBearer(authorization: string | undefined): boolean {
  return authorization !== undefined && bearerPattern.test(authorization)
}

/**
 * @param authorization The value of the header.
 * @returns The token in it.
 * @throws {ServiceError} `rest_authentication_no_token` if there is none.
 */
export function readBearer(authorization: string | undefined): string {
  const token = hasBearer(authorization) ? authorization?.replace(bearerPattern, '').trim() : ''
  if (!token) throw new ServiceError('rest_authentication_no_token')
  return token
}
