import type { IncomingMessage } from 'node:http'
import { ServiceError } from '../../errors.js'
import { hasBearer } from './bearer.js'

/** Where a token may stand besides `Authorization`; nowhere, unless somebody says so. */
export interface TokenSources {
  /** A header's name, in lower case. */
  header: string | undefined
  /** A cookie's name. */
  cookie: string | undefined
  /** A field of a POST's form: for {@link requireToken} only, behind a parser. */
  field: string | undefined
}

/** Puts the token of a request where everything looks for it. @throws {ServiceError} */
export type TokenSource = (request: IncomingMessage) => void

/** What exchanges or asks about tokens has them in its body, and its own use for `Authorization`. */
const tokenEndpoint = /\/(?:token|introspect|revoke|token\/refresh)(?:\?|$)/

const originalMethods = ['x-forwarded-method', 'x-original-method'] as const

/**
 * Reads the token of a request from the header or cookie that the configuration names, where proxies
 * strip `Authorization` or somebody else needs it. Never from the query: a URL is no secret.
 *
 * A cookie is sent by the browser whoever has made the request. So it counts for requests that only
 * read (GET, HEAD), and only where the client has named no token itself.
 *
 * @returns `undefined` where there is nothing to do.
 */
export function createTokenSource({ header, cookie }: TokenSources): TokenSource | undefined {
  if (header === undefined && cookie === undefined) return undefined
  return function takeToken(request) {
    const { headers, method, url = '' } = request
    if (method === 'POST' && tokenEndpoint.test(url)) return
    const own = header === undefined ? undefined : textOf(headers[header])
    if (own !== undefined && hasBearer(headers.authorization)) throw severalTokens()
    const token =
      own ??
      (cookie === undefined || hasBearer(headers.authorization) || !onlyReads(request)
        ? undefined
        : readCookie(headers.cookie, cookie))
    // Read once: a second guard must not find it in two places.
    if (own !== undefined && header !== undefined) delete headers[header]
    if (token !== undefined) headers.authorization = `Bearer ${token.replace(/^bearer +/i, '')}`
  }
}

/** RFC 6750, section 2: clients must not use more than one method in a request. */
export function severalTokens(): ServiceError {
  return new ServiceError('rest_authentication_several_tokens')
}

function textOf(value: string | string[] | undefined): string | undefined {
  const text = String(value ?? '').trim()
  return text === '' ? undefined : text
}

/**
 * Whether the client's request changes nothing. To `/forward-auth` the proxy must say what it was: the
 * question about it is a GET whatever it is about.
 */
function onlyReads({ headers, method, url = '' }: IncomingMessage): boolean {
  const asked = originalMethods.map((name) => headers[name]).find((value) => value !== undefined)
  const original = url.startsWith('/forward-auth') ? asked : method
  return original === 'GET' || original === 'HEAD'
}

function readCookie(text: string | undefined, name: string): string | undefined {
  for (const pair of text?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return textOf(pair.slice(at + 1))
  }
  return undefined
}
