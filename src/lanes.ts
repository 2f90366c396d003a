import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Config } from './config.js'
import { createFailureAnswer, type FailureAnswer } from './http/error-handler.js'
import { forwardAuthLane } from './http/forward-auth.js'
import { createTokenSource } from './http/guards/token-source.js'
import { hotLane, type Lane } from './http/hot-lane.js'
import { originOf } from './http/request-origin.js'
import { apiHeaders } from './http/security-headers.js'
import type { Logger } from './logger.js'
import type { Services } from './services/index.js'

/** Browsers send twenty or so, proxies a dozen more. */
const mostHeaders = 100

export interface AppDeps {
  services: Services
  config: Pick<
    Config,
    'publicUrl' | 'trustProxy' | 'corsOrigins' | 'securityContact' | 'keyPairScopes'
  >
  logger: Logger
}

/**
 * The whole service as a listener for Node's server: the lanes, which machines use all the time, and
 * behind them the app.
 *
 * @param loadApp Called when somebody first needs it: the app with its pages and parsers is half of
 *   what the program loads, and a node that was just started answers checks without it.
 */
export function createListener(
  deps: AppDeps,
  loadApp: () => Promise<RequestListener>,
): RequestListener {
  const { services, config, logger } = deps
  const { trustProxy } = config
  const answerFailure = createAnswerFailure(deps)
  const headers = apiHeaders(config)
  const { tokens, hooks } = services
  const take = hotLane({ tokens, hooks, answerFailure, headers, trustProxy })
  const takeForwardAuth = createForwardAuth(deps)
  const takeToken = createTokenSource(services.tokenSources)
  let app: RequestListener | undefined
  let loading: Promise<RequestListener> | undefined

  function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { method, url: path = '' } = request
    const origin = originOf(request, trustProxy)
    const failure = answerFailure(error, { method, path, isResource: true, origin })
    const type = { 'Content-Type': 'application/json; charset=utf-8' }
    response.writeHead(failure.status, { ...headers, ...failure.headers, ...type })
    response.end(JSON.stringify(failure.body))
  }

  const listen: RequestListener = (request, response) => {
    // Node would leave out those beyond a number of its own, and say nothing.
    if (request.rawHeaders.length > 2 * mostHeaders) return refuseHeaders(response)
    try {
      takeToken?.(request)
    } catch (error) {
      return refuse(request, response, error)
    }
    if (take(request, response) || takeForwardAuth(request, response)) return
    if (app) return app(request, response)
    loading ??= loadApp()
    loading.then(
      (loaded) => {
        app = loaded
        loaded(request, response)
      },
      (err: unknown) => {
        // A file that cannot be read now may be readable for the next request.
        loading = undefined
        logger.error({ err }, 'the app could not be loaded')
        response.writeHead(500, { 'Content-Length': '0' }).end()
      },
    )
  }
  return listen
}

function refuseHeaders(response: ServerResponse): void {
  response.writeHead(431, { Connection: 'close', 'Content-Length': '0' }).end()
}

/** The same answer to a failure in the lanes as behind them. */
export function createAnswerFailure({ services, config, logger }: AppDeps): FailureAnswer {
  const { toServiceError } = services
  const recordRefusal = services.audit.recorder.refused
  return createFailureAnswer({ logger, publicUrl: config.publicUrl, recordRefusal, toServiceError })
}

export function createForwardAuth({ services, config, logger }: AppDeps): Lane {
  const { tokens, hooks, toServiceError } = services
  const { trustProxy } = config
  return forwardAuthLane({
    tokens,
    hooks,
    toServiceError,
    recordRefusal: services.audit.recorder.refused,
    logger,
    headers: apiHeaders(config),
    trustProxy,
  })
}
