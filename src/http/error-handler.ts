import type { Origin } from '../domain/origin.js'
import type { User } from '../domain/user.js'
import { ServiceError } from '../errors.js'
import type { Logger } from '../logger.js'
import { failureHeaders } from './failure-headers.js'
import { JwtAuthFailure, presentJwtAuthError } from './jwt-auth/envelope.js'
import { OAuthFailure, presentOAuthError } from './oauth/oauth-error.js'
import { requestOrigin } from './request-origin.js'
import type { AppMiddleware } from './state.js'

/** Whoever asks for a token has no use for being told to bring one. */
const tokenPaths = new Set(['/wp/v2/token', '/jwt-auth/v1/token', '/jwt-auth/v1/token/refresh'])

export interface FailureDeps {
  logger: Logger
  publicUrl: string
  /** Tells the audit log. */
  recordRefusal(error: ServiceError, origin: Origin, user?: User): void
  /** Turns whatever was thrown into the failure that a client may see. */
  toServiceError(error: unknown): ServiceError
}

export interface FailedRequest {
  method?: string | undefined
  path: string
  /** Whether it asked for something that a bearer token gives access to. */
  isResource?: boolean
  origin: Origin
  /** Who asked, if that is known. */
  user?: User | undefined
}

export interface Failure {
  status: number
  headers: Record<string, string>
  body: object
}

/** The one place where a failure becomes an answer; our own failures are logged on the way. */
export function createFailureAnswer(deps: FailureDeps) {
  const { logger, publicUrl, recordRefusal, toServiceError } = deps
  return function answerFailure(thrown: unknown, request: FailedRequest): Failure {
    const { method, path, isResource, origin, user } = request
    const { requestId } = origin
    const isOAuth = thrown instanceof OAuthFailure
    const isJwtAuth = thrown instanceof JwtAuthFailure
    const error = toServiceError(isOAuth || isJwtAuth ? thrown.cause : thrown)
    if (error.status >= 500) {
      logger.error({ err: error.cause ?? thrown, method, path, requestId }, error.message)
    }
    recordRefusal(error, origin, user)
    const { status, headers, body } = isOAuth
      ? presentOAuthError(error)
      : isJwtAuth
        ? presentJwtAuthError(error, thrown.subject)
        : presentError(error)
    const resource = isResource ? { publicUrl } : undefined
    return { status, headers: { ...headers, ...failureHeaders(error, resource, requestId) }, body }
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
      const { restPath } = ctx.state
      const isResource = restPath !== undefined && !tokenPaths.has(restPath)
      const { status, headers, body } = answerFailure(thrown, {
        method,
        path,
        isResource,
        origin: requestOrigin(ctx),
        user: ctx.state.actor?.user,
      })
      ctx.set(headers)
      ctx.status = status
      ctx.body = body
    }
  }
}
