import type Router from '@koa/router'
import type { Context, DefaultState, Middleware } from 'koa'

export interface RequestState extends DefaultState {
  /** The path inside WordPress's REST API, e.g. `/wp/v2/token`; absent on other surfaces. */
  restPath?: string
}

export type RequestContext = Context & { params?: Record<string, string> }
export type Handler = (ctx: RequestContext) => Promise<void> | void
export type AppMiddleware = Middleware<RequestState>
export type AppRouter = Router<RequestState>
