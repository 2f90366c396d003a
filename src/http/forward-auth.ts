import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TokenPrincipal } from '../domain/actor.js'
import { plainPath } from '../domain/public-path.js'
import { ServiceError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { AskedRequest } from '../services/hooks/guarding.js'
import type { ForwardAuthSettings, HookSet } from '../services/hooks/index.js'
import type { Origin, TokenService } from '../services/tokens.js'
import { failureHeaders } from './failure-headers.js'
import { hasBearer, readBearer } from './guards/bearer.js'
import { assertScopes, readScopeList } from './guards/scopes.js'
import { createGuard, type Guard } from './guards/guard.js'
import type { Lane } from './hot-lane.js'
import { originOf } from './request-origin.js'
import type { AppMiddleware } from './state.js'

export interface ForwardAuthDeps {
  tokens: TokenService
  hooks: Pick<HookSet, 'guard' | 'forwardAuth'>
  toServiceError(error: unknown): ServiceError
  /** Tells the audit log. */
  recordRefusal(error: ServiceError, origin: Origin): void
  logger: Logger
  /** Of every refusal, which proxies hand on to the client. */
  headers: Record<string, string>
  trustProxy: number
}

const path = '/forward-auth'

/**
 * Answers a proxy that asks about each request before it lets it through: nginx's `auth_request`,
 * Caddy's `forward_auth`, Traefik's ForwardAuth, Envoy's `ext_authz`. 204 with the `X-Auth-*` headers
 * that the API behind may trust, or 401 or 403. Every method is the same, since some proxies use that
 * of the client's request; and so is every path below, where others put the client's.
 *
 * By the same check as everywhere, and straight from Node's request as in the hot lane.
 */
export function forwardAuthLane(deps: ForwardAuthDeps): Lane {
  const { tokens, hooks, toServiceError, trustProxy } = deps
  const { publicPaths } = hooks.forwardAuth
  const guard = createGuard({ hooks: hooks.guard, publicPaths, toServiceError })

  async function check(request: IncomingMessage, origin: Origin): Promise<TokenPrincipal> {
    const { authorization } = request.headers
    if (!hasBearer(authorization)) throw new ServiceError('rest_not_logged_in')
    const principal = await tokens.authenticate(readBearer(authorization), origin)
    assertScopes(principal, requiredScopes(request.url ?? ''))
    return principal
  }

  async function checkGuarded(
    guard: Guard,
    request: IncomingMessage,
    origin: Origin,
  ): Promise<TokenPrincipal | undefined> {
    const asked = askedFor(request, hooks.forwardAuth, origin.ip)
    return guard(asked, hasBearer(request.headers.authorization), () => check(request, origin))
  }

  return function takeForwardAuth(request, response) {
    if (!isForwardAuth(request.url ?? '')) return false
    const origin = originOf(request, trustProxy)
    const work = guard ? checkGuarded(guard, request, origin) : check(request, origin)
    work.then(
      (principal) => {
        response.writeHead(204, principal ? identityHeaders(principal) : anonymousHeaders)
        response.end()
      },
      (thrown: unknown) => refuse(deps, request, response, origin, thrown),
    )
    return true
  }
}

/** The same for an application that is served without the lanes: must come before all else. */
export function forwardAuth(lane: Lane): AppMiddleware {
  return async function answerForwardAuth(ctx, next) {
    if (!lane(ctx.req, ctx.res)) return next()
    // Answered already, or about to be.
    ctx.respond = false
  }
}

function isForwardAuth(url: string): boolean {
  if (!url.startsWith(path)) return false
  const next = url.charAt(path.length)
  return next === '' || next === '?' || next === '/'
}

/**
 * Only the proxy's own configuration can ask for scopes. Below the path stands the client's request,
 * and what it calls `scope` is no business of ours.
 */
function requiredScopes(url: string): string[] {
  if (url.charAt(path.length) !== '?') return []
  return new URLSearchParams(url.slice(path.length)).getAll('scope').flatMap(readScopeList)
}

/**
 * What the proxy is asked for, as far as it has been said where that is to be found: a header that the
 * proxy does not write is the client's own word.
 */
function askedFor(
  request: IncomingMessage,
  { uriFrom, methodFrom }: ForwardAuthSettings,
  ip: string | null,
): AskedRequest {
  const { headers, method, url = '' } = request
  const header = (name: string | undefined) => {
    const value = name === undefined ? undefined : headers[name]
    return typeof value === 'string' ? value : undefined
  }
  const target = uriFrom === 'request' ? url.slice(path.length) : header(uriFrom)
  const asked = methodFrom === 'request' ? method : header(methodFrom)
  return {
    surface: 'forward-auth',
    method: asked !== undefined && /^[A-Z]{1,20}$/.test(asked) ? asked : undefined,
    path: target === undefined ? undefined : plainPath(target),
    ip,
  }
}

/** Empty, so that the API behind does not take a client's own for ours. */
const anonymousHeaders = [
  ...['Cache-Control', 'no-store'],
  ...['X-Auth-User-Id', '', 'X-Auth-User-Login', '', 'X-Auth-Api-Key', '', 'X-Auth-Scopes', ''],
]

function identityHeaders({ user, apiKey, scopes }: TokenPrincipal): string[] {
  return [
    'Cache-Control',
    'no-store',
    'X-Auth-User-Id',
    String(user.id),
    'X-Auth-User-Login',
    headerText(user.login),
    'X-Auth-Api-Key',
    apiKey,
    'X-Auth-Scopes',
    scopes.join(' '),
  ]
}

/** Percent-encodes whatever a header cannot hold, and the percent sign itself. */
function headerText(text: string): string {
  return text.toWellFormed().replace(/^ | $|[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent)
}

function refuse(
  { toServiceError, recordRefusal, logger, headers }: ForwardAuthDeps,
  request: IncomingMessage,
  response: ServerResponse,
  origin: Origin,
  thrown: unknown,
): void {
  const error = toServiceError(thrown)
  const status = statusOf(error)
  const { requestId } = origin
  const about = { status, code: error.code, requestId, ...describeOriginal(request) }
  if (status >= 500) logger.error({ err: error.cause ?? thrown, ...about }, error.message)
  else logger.debug(about, 'a forwarded request was refused')
  recordRefusal(error, origin)
  const extra = failureHeaders(error, {}, requestId)
  response.writeHead(status, { ...headers, ...extra, 'Content-Length': '0' })
  response.end()
}

/**
 * RFC 6750, section 3.1: 401 where another token would do, 403 where none would. WordPress's own
 * statuses would have proxies, and clients behind them, believe that no token helps.
 */
export function statusOf(error: ServiceError): number {
  if (error.code === 'rest_authentication_network_not_allowed') return 403
  return error.bearer === '' || error.bearer === 'invalid_token' ? 401 : error.status
}

const longestLogged = 2000

/** What the client asked the proxy for: for the log, and for nothing else, since it may be made up. */
function describeOriginal({ headers, method, url = '' }: IncomingMessage) {
  const first = (...names: string[]) => {
    const values = names.flatMap((name) => headers[name])
    return values.find((value) => value !== undefined)
  }
  const uri = first('x-forwarded-uri', 'x-original-uri', 'x-original-url') ?? url
  // A query may hold secrets.
  const [shown = ''] = uri.split('?')
  return {
    method: first('x-forwarded-method', 'x-original-method') ?? method,
    uri: shown.slice(0, longestLogged),
  }
}
