import { ServiceError } from '../errors.js'
import type { Logger } from '../logger.js'
import { bearerChallenge } from './guards/bearer-challenge.js'
import { OAuthFailure, presentOAuthError } from './oauth/oauth-error.js'
import type { AppMiddleware } from './state.js'

/** Seconds after which a client may try again while the database is away. */
const retryAfter = '2'
const tokenPath = '/wp/v2/token'

export interface FailureDeps {
  logger: Logger
  publicUrl: string
  /** Turns whatever was thrown into the failure that a client may see. */
  toServiceError(error: unknown): ServiceError
}

export interface FailedRequest {
  method?: string | undefined
  path: string
  /** Whether it asked for something that a bearer token gives access to. */
  isResource?: boolean
}

export interface Failure {
  status: number
  headers: Record<string, string>
  body: object
}

/** The one place where a failure becomes an answer; our own failures are logged on the way. */
export function createFailureAnswer({ logger, publicUrl, toServiceError }: FailureDeps) {
  return function answerFailure(thrown: unknown, request: FailedRequest): Failure {
    const { method, path, isResource } = request
    const isOAuth = thrown instanceof OAuthFailure
    const error = toServiceError(isOAuth ? thrown.cause : thrown)
    if (error.status >= 500) {
      logger.error({ err: error.cause ?? thrown, method, path }, error.message)
    }
    const { status, headers, body } = isOAuth ? presentOAuthError(error) : presentError(error)
    const challenge = isResource ? bearerChallenge(error, publicUrl) : undefined
    return {
      status,
      headers: {
        ...headers,
        ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
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
      const { method, path } = ctx
      // Whoever asks for a token has no use for being told to bring one.
      const { restPath = tokenPath } = ctx.state
      const isResource = restPath !== tokenPath
      const { status, headers, body } = answerFailure(thrown, { method, path, isResource })
      ctx.set(headers)
      ctx.status = status
      ctx.body = body
    }
  }
}
