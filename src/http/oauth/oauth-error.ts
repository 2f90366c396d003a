import type { ServiceError } from '../../errors.js'
import { asciiText } from '../guards/bearer-challenge.js'

/** Any failure of a request that speaks OAuth: it is answered in OAuth's words. */
export class OAuthFailure extends Error {
  override readonly name = 'OAuthFailure'

  constructor(cause: unknown) {
    super('A request in the dialect of OAuth failed', { cause })
  }
}

/** Runs what answers a request that speaks OAuth. @throws {OAuthFailure} */
export async function inOAuth<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof OAuthFailure ? error : new OAuthFailure(error)
  }
}

export interface OAuthError {
  status: number
  headers: Record<string, string>
  body: { error: string; error_description: string }
}

/** @see [RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2) */
export function presentOAuthError(error: ServiceError): OAuthError {
  const isUnproven = error.oauth === 'invalid_client'
  return {
    status: isUnproven ? 401 : statusOf(error.status),
    headers: isUnproven ? { 'WWW-Authenticate': 'Basic realm="Twinkey", charset="UTF-8"' } : {},
    body: { error: error.oauth, error_description: describe(error) },
  }
}

/** WordPress's 403 and 404 are 400 here; what concerns the transport or the server stays. */
function statusOf(status: number): number {
  return status === 413 || status === 415 || status === 429 || status >= 500 ? status : 400
}

function describe({ message, params }: ServiceError): string {
  const problems = Object.entries(params ?? {}).map(([name, problem]) => `${name} ${problem}`)
  return asciiText([message, ...problems].join('; '))
}
