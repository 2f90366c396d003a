import { ServiceError } from '../errors.js'
import type { Logger } from '../logger.js'
import { OAuthFailure, presentOAuthError } from './oauth/oauth-error.js'
import type { AppMiddleware } from './state.js'

/** Seconds after which a client may try again while the database is away. */
const retryAfter = '2'

export interface FailureDeps {
  logger: Logger
  /** Turns whatever was thrown into the failure that a client may see. */
  toServiceError(error: unknown): ServiceError
}

export interface FailedRequest {
  method?: string | undefined
  path: string
}

export interface Failure {
  status: number
  headers: Record<string, string>
  body: object
}

/** The one place where a failure becomes an answer; our own failures are logged on the way. */
export function createFailureAnswer({ logger, toServiceError }: FailureDeps) {
  return function answerFailure(thrown: unknown, { method, path }: FailedRequest): Failure {
    const isOAuth = thrown instanceof OAuthFailure
    const error = toServiceError(isOAuth ? thrown.cause : thrown)
    if (error.status >= 500) {
      logger.error({ err: error.cause ?? thrown, method, path }, error.message)
    }
    const { status, headers, body } = isOAuth ? presentOAuthError(error) : presentError(error)
    return {
      status,
      headers: {
        ...headers,
        'Cache-Control': 'no-store',
        ...(error.code === 'rest_service_unavailable' && { 'Retry-After': retryAfter }),
        ...(error.retryAfter !== undefined && { 'Retry-After': String(error.retryAfter) }),
      },
      body,
    }
  }
}

function presentError(error: ServiceError): Failure {
  return { status: error.status, headers: {}, body: error.toJSON() }
}

export type FailureAnswer = ReturnType<typeof createFailureAnswer>

export function errorHandler(answerFailure: FailureAnswer): AppMiddleware {
  return async function handleErrors(ctx, next) {
    try {
      await next()
      if (ctx.status === 404 && ctx.body == null) throw new ServiceError('rest_no_route')
    } catch (thrown) {
      const { status, headers, body } = answerFailure(thrown, ctx)
      ctx.set(headers)
      ctx.status = status
      ctx.body = body
    }
  }
}
