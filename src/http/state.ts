import type Router from '@koa/router'
import type { SessionActor } from '../domain/actor.js'
import type { Origin } from '../domain/origin.js'
import type { ServiceError } from '../errors.js'
import type { Context, DefaultState, Middleware } from 'koa'

export interface RequestState extends DefaultState {
  /** The path inside WordPress's REST API, e.g. `/wp/v2/token`; absent on other surfaces. */
  restPath?: string
  origin?: Origin
  /** Who asks, once that is known. */
  actor?: SessionActor
  /** A refusal that a page shows itself. */
  refusal?: ServiceError
}

export type RequestContext = Context & { params?: Record<string, string> }
export type Handler = (ctx: RequestContext) => Promise<void> | void
export type AppMiddleware = Middleware<RequestState>
export type AppRouter = Router<RequestState>
