import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TokenService } from '../services/tokens.js'
import { addressOf } from './client-address.js'
import type { FailureAnswer } from './error-handler.js'
import { validateToken } from './wp/token.js'

export interface CheckLaneDeps {
  tokens: TokenService
  answerFailure: FailureAnswer
  /** Of every answer. */
  headers: Record<string, string>
  trustProxy: number
}

/** @returns Whether it has taken the request; if not, it is somebody else's. */
export type Lane = (request: IncomingMessage, response: ServerResponse) => boolean

const paths = new Set(['/wp-json/wp/v2/token/validate', '/wp/v2/token/validate'])

/**
 * Answers `GET token/validate` in its two usual spellings straight from Node's request. Other
 * services ask it once for each of their own requests, and building a Koa context, running the
 * middleware and matching routes costs more than the check itself. Every other spelling, and requests
 * of browsers from other origins, take the way through Koa to the same {@link validateToken}.
 */
export function checkLane({ tokens, answerFailure, headers, trustProxy }: CheckLaneDeps): Lane {
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

  return function takeCheck(request, response) {
    if (request.method !== 'GET' || !paths.has(request.url ?? '')) return false
    const { authorization, origin } = request.headers
    if (origin !== undefined) return false
    validateToken(tokens, authorization, addressOf(request, trustProxy)).then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        const failure = answerFailure(error, { method: 'GET', path: request.url ?? '' })
        // `Cache-Control` is among the common headers already.
        const { 'Cache-Control': _, ...extra } = failure.headers
        send(response, failure.status, failure.body, flatten(extra))
      },
    )
    return true
  }
}

function flatten(headers: Record<string, string>): string[] {
  return Object.entries(headers).flat()
}
