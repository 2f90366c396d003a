import { compactVerify, type JWTHeaderParameters, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { type PresentedToken, readClaims, type TokenClaims } from '../domain/access-token.js'
import { ServiceError } from '../errors.js'

export interface TokenSigner {
  sign(claims: TokenClaims): Promise<string>
  /** What a token says whose signature has been verified before, and is still remembered. */
  recall(token: string): PresentedToken | undefined
  /**
   * Verifies signature and shape, and remembers the token. What the claims *say* (time, issuer, user,
   * key) is not decided here: it depends on the moment.
   *
   * @throws {ServiceError} `rest_authentication_token_error`
   */
  verify(token: string): Promise<PresentedToken>
}

export interface TokenSignerOptions {
  secret: string
  /** Bounds of the memory of verified signatures. */
  memory?: { maxEntries?: number; maxBytes?: number }
}

const algorithm = 'HS256'
const header: JWTHeaderParameters = { typ: 'JWT', alg: algorithm }
/** Ours are about 600 characters. Longer ones are refused before any work is done on them. */
const maxTokenLength = 8192
/** What an entry costs beside its token's characters: the claims, the maps' own cells. */
const entryOverhead = 600
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Signs and verifies JWTs (RFC 7519) with one HMAC secret, imported once.
 *
 * A verified token is remembered by its whole text, so that a token in steady use costs no second
 * verification. Failures are never remembered: garbage cannot push good tokens out.
 */
export async function createTokenSigner(options: TokenSignerOptions): Promise<TokenSigner> {
  const key = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(options.secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign', 'verify'],
  )
  const verified = new LRUCache<string, PresentedToken>({
    max: options.memory?.maxEntries ?? 100_000,
    maxSize: options.memory?.maxBytes ?? 32 * 1024 * 1024,
    sizeCalculation: (_, token) => token.length + entryOverhead,
  })

  async function verifySignature(token: string): Promise<PresentedToken> {
    if (token.length > maxTokenLength) throw new ServiceError('rest_authentication_token_error')
    try {
      // The algorithm is ours to choose, never the header's.
      const { payload } = await compactVerify(token, key, { algorithms: [algorithm] })
      const claims: unknown = JSON.parse(decoder.decode(payload))
      if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
        throw new TypeError('The payload is not a JSON object')
      }
      const presented = readClaims(claims as Record<string, unknown>)
      if (!presented) throw new TypeError('A time claim is not a number')
      verified.set(token, presented)
      return presented
    } catch (cause) {
      throw new ServiceError('rest_authentication_token_error', { cause })
    }
  }

  return {
    sign: (claims) => new SignJWT({ ...claims }).setProtectedHeader(header).sign(key),
    recall: (token) => verified.get(token),
    verify: verifySignature,
  }
}
