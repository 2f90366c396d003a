import { type ErrorCode, errorCatalogue, type Failure } from './error-catalogue.js'

export { type ErrorCode, errorCatalogue } from './error-catalogue.js'

/** A quota that has been used up, as clients are told of it. */
export interface RateLimitState {
  /** Of the policy, e.g. `login`: lower-case letters and hyphens. */
  name: string
  quota: number
  /** Seconds that the quota is for. */
  window: number
  remaining: number
  /** Seconds until there is a quota again. */
  reset: number
}

export interface ServiceErrorOptions {
  message?: string
  /** Names of the parameters at fault, each with what is wrong with it. */
  params?: Record<string, string>
  /** Seconds after which trying again makes sense. */
  retryAfter?: number
  rateLimit?: RateLimitState
  /** What a token would have to have (RFC 6750, section 3). */
  scopes?: readonly string[]
  about?: RefusalSubject
  cause?: unknown
}

/** What only the audit log is told of a refusal: answers are the same whatever the reason. */
export interface RefusalSubject {
  /** Whose account or key-pair it was about. */
  userId?: number | undefined
  /** Of a pair that exists: anything else may be a secret in the wrong field. */
  apiKey?: string | undefined
  /** More exact than the code, e.g. `wrong_secret`. */
  reason?: string | undefined
}

/** A failure the caller can act on. Anything else that is thrown is a bug and answers 500. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  readonly status: number
  /** What OAuth calls it at the token endpoint (RFC 6749, section 5.2). */
  readonly oauth: string
  /** What a resource tells the bearer of a token, if it has to do with one. */
  readonly bearer: Failure['bearer']
  readonly params: Record<string, string> | undefined
  readonly retryAfter: number | undefined
  readonly rateLimit: RateLimitState | undefined
  readonly scopes: readonly string[] | undefined
  /** Whoever knows more adds to it on the way. */
  about: RefusalSubject | undefined

  constructor(code: ErrorCode, options: ServiceErrorOptions = {}) {
    super(options.message ?? errorCatalogue[code].message, { cause: options.cause })
    this.code = code
    const failure: Failure = errorCatalogue[code]
    this.status = failure.status
    this.oauth = failure.oauth ?? 'invalid_request'
    this.bearer = failure.bearer
    this.params = options.params
    this.retryAfter = options.retryAfter
    this.rateLimit = options.rateLimit
    this.scopes = options.scopes
    this.about = options.about
  }

  /** The body that WordPress's REST API sends for an error. */
  toJSON() {
    return {
      code: this.code,
      message: this.message,
      data: { status: this.status, ...(this.params && { params: this.params }) },
    }
  }
}

/** Adds what is known about a refusal, for the audit log. @returns The same error. */
export function aboutSubject(error: unknown, about: RefusalSubject | undefined): unknown {
  if (error instanceof ServiceError && about) error.about = { ...about, ...error.about }
  return error
}

/** `rest_missing_callback_param`, worded as WordPress words it. */
export function missingParameters(names: readonly string[]): ServiceError {
  return new ServiceError('rest_missing_callback_param', {
    message: `Missing parameter(s): ${names.join(', ')}`,
  })
}

/**
 * `rest_invalid_param`, worded as WordPress words it.
 *
 * @param params Parameter name to what is wrong with it, e.g. `{ name: 'must be a string' }`.
 */
export function invalidParameters(params: Record<string, string>): ServiceError {
  return new ServiceError('rest_invalid_param', {
    message: `Invalid parameter(s): ${Object.keys(params).join(', ')}`,
    params,
  })
}
