import type { ServiceError } from '../errors.js'
import { bearerChallenge } from './guards/bearer-challenge.js'

/** Seconds after which a client may try again while the database is away. */
const unavailableRetry = 2

export interface RefusedResource {
  /** Of the service, if the resource is one of its own. */
  publicUrl?: string
}

/**
 * What a failure says in the headers of its answer, on every surface: `WWW-Authenticate`,
 * `Retry-After`, `RateLimit` and `RateLimit-Policy`. Never to be kept by a cache.
 *
 * @param resource What was asked for, if a bearer token gives access to it.
 * @param requestId By which the owner finds the reason in the audit log.
 * @see [RateLimit header fields, draft 11](https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11)
 */
export function failureHeaders(
  error: ServiceError,
  resource?: RefusedResource,
  requestId?: string | null,
): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' }
  if (requestId) headers['X-Request-Id'] = requestId
  const challenge = resource && bearerChallenge(error, resource.publicUrl)
  if (challenge !== undefined) headers['WWW-Authenticate'] = challenge
  const retryAfter = error.retryAfter ?? (error.status === 503 ? unavailableRetry : undefined)
  if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter)
  if (error.rateLimit) {
    const { name, quota, window, remaining, reset } = error.rateLimit
    headers['RateLimit-Policy'] = `"${name}";q=${quota};w=${window}`
    headers.RateLimit = `"${name}";r=${remaining};t=${reset}`
  }
  return headers
}

/** Those of them that pages of other origins may read, where CORS lets them read the answer. */
export const exposedFailureHeaders = [
  'WWW-Authenticate',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-Request-Id',
] as const
