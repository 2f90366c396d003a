import type { Logger } from '../logger.js'
import { ServiceError } from '../errors.js'
import type { AppMiddleware } from './state.js'

/** Seconds after which a client may try again while the database is away. */
const retryAfter = '2'

export interface ErrorHandlerDeps {
  logger: Logger
  /** Turns whatever was thrown into the failure that a client may see. */
  toServiceError(error: unknown): ServiceError
}

/** The one place where a failure becomes an answer. */
export function errorHandler({ logger, toServiceError }: ErrorHandlerDeps): AppMiddleware {
  return async function handleErrors(ctx, next) {
    try {
      await next()
      if (ctx.status === 404 && ctx.body == null) throw new ServiceError('rest_no_route')
    } catch (thrown) {
      const error = toServiceError(thrown)
      if (error.status >= 500) {
        logger.error(
          { err: error.cause ?? thrown, method: ctx.method, path: ctx.path },
          error.message,
        )
      }
      if (error.code === 'rest_service_unavailable') ctx.set('Retry-After', retryAfter)
      ctx.set('Cache-Control', 'no-store')
      ctx.status = error.status
      ctx.body = error.toJSON()
    }
  }
}
