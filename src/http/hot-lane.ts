import type { IncomingMessage, ServerResponse } from 'node:http'
import { ServiceError } from '../errors.js'
import type { Origin, TokenService } from '../services/tokens.js'
import type { FailureAnswer } from './error-handler.js'
import { maxBodyBytes, readForm } from './form.js'
import { inOAuth } from './oauth/oauth-error.js'
import { oauthPaths } from './oauth/paths.js'
import type { ExchangeHooks } from './exchange-hooks.js'
import { grantTokens } from './oauth/token.js'
import { originOf } from './request-origin.js'
import { issueTokens, validateToken } from './wp/token.js'

export interface HotLaneDeps {
  tokens: TokenService
  hooks: ExchangeHooks
  answerFailure: FailureAnswer
  /** Of every answer. */
  headers: Record<string, string>
  trustProxy: number
}

// `fetch` names the character set.
const plainForm = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i

/** @returns Whether it has taken the request; if not, it is somebody else's. */
export type Lane = (request: IncomingMessage, response: ServerResponse) => boolean

const tokenPaths = new Set(['/wp-json/wp/v2/token', '/wp/v2/token'])

const validatePaths = new Set(['/wp-json/wp/v2/token/validate', '/wp/v2/token/validate'])

/**
 * Answers the two requests that machines send all the time, `GET token/validate` and an urlencoded
 * `POST token`, straight from Node's request: building a Koa context, running the middleware and
 * matching routes costs more than the check itself. Every other spelling or encoding, and requests of
 * browsers from other origins, take the way through Koa to the same two functions.
 */
export function hotLane(deps: HotLaneDeps): Lane {
  const { tokens, hooks, answerFailure, headers, trustProxy } = deps
  const common = flatten({ ...headers, 'Content-Type': 'application/json; charset=utf-8' })

  function send(
    response: ServerResponse,
    status: number,
    body: object,
    extra: string[] = [],
  ): void {
    const text = JSON.stringify(body)
    const length = String(Buffer.byteLength(text))
    response.writeHead(status, [...common, 'Content-Length', length, ...extra])
    response.end(text)
  }

  function answer(
    request: IncomingMessage,
    response: ServerResponse,
    origin: Origin,
    work: Promise<object>,
    isResource = false,
  ): true {
    work.then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        const { method, url = '' } = request
        const failure = answerFailure(error, { method, path: url, isResource, origin })
        // `Cache-Control` is among the common headers already.
        const { 'Cache-Control': _, ...extra } = failure.headers
        send(response, failure.status, failure.body, flatten(extra))
      },
    )
    return true
  }

  async function issue(request: IncomingMessage, origin: Origin): Promise<object> {
    const fields = await readFields(request)
    const { authorization } = request.headers
    return issueTokens(tokens, fields, authorization, origin, hooks)
  }

  async function grant(request: IncomingMessage, origin: Origin): Promise<object> {
    const fields = await inOAuth(() => readFields(request))
    return grantTokens(tokens, fields, request.headers.authorization, origin, hooks)
  }

  return function takeHot(request, response) {
    const { url = '', method } = request
    if (request.headers.origin !== undefined) return false
    if (method === 'GET' && validatePaths.has(url)) {
      const { authorization } = request.headers
      const origin = originOf(request, trustProxy)
      return answer(request, response, origin, validateToken(tokens, authorization, origin), true)
    }
    if (method !== 'POST' || !isPlainForm(request)) return false
    const serve = tokenPaths.has(url) ? issue : url === oauthPaths.token ? grant : undefined
    if (!serve) return false
    const origin = originOf(request, trustProxy)
    return answer(request, response, origin, serve(request, origin))
  }
}

async function readFields(request: IncomingMessage): Promise<Record<string, unknown>> {
  try {
    return await readForm(request)
  } catch {
    // The parser's own error has the body, and so the secret, in it.
    throw new ServiceError('rest_invalid_body')
  }
}

/** An urlencoded body of known and modest length, as curl and every OAuth client sends it. */
function isPlainForm({ headers }: IncomingMessage): boolean {
  return (
    plainForm.test(headers['content-type'] ?? '') &&
    Number(headers['content-length']) <= maxBodyBytes &&
    headers['content-encoding'] === undefined &&
    headers['x-http-method-override'] === undefined
  )
}

function flatten(headers: Record<string, string>): string[] {
  return Object.entries(headers).flat()
}
