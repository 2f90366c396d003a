import { createHmac, createSecretKey } from 'node:crypto'
import { compactVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import {
  type PresentedToken,
  readClaims,
  type TokenClaims,
  type TokenHeaderType,
} from '../domain/access-token.js'
import { ServiceError } from '../errors.js'

export interface TokenSigner {
  /** @returns A JWS in compact form (RFC 7515, section 7.1). */
  sign(claims: TokenClaims, type: TokenHeaderType): string | Promise<string>
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
  memory: { maxEntries: number; maxBytes: number }
}

const algorithm = 'HS256'
const headers = {
  JWT: base64url({ typ: 'JWT', alg: algorithm }),
  'at+jwt': base64url({ typ: 'at+jwt', alg: algorithm }),
} satisfies Record<TokenHeaderType, string>
/** Ours are about 600 characters. Longer ones are refused before any work is done on them. */
const maxTokenLength = 8192
// jose forgives padding and white space in base64url, and so would see one token in many texts.
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** What an entry costs beside its token's characters: the claims, the maps' own cells. */
const entryOverhead = 600
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Signs and verifies JWTs (RFC 7519) with one HMAC secret, imported once.
 *
 * A verified token is remembered by its whole text, so that a token in steady use costs no second
 * verification. Failures are never remembered: garbage cannot push good tokens out.
 */
export function createTokenSigner(options: TokenSignerOptions): TokenSigner {
  const key = createSecretKey(Buffer.from(options.secret))
  const verified = new LRUCache<string, PresentedToken>({
    max: options.memory.maxEntries,
    maxSize: options.memory.maxBytes,
    sizeCalculation: (_, token) => token.length + entryOverhead,
  })

  async function verifySignature(token: string): Promise<PresentedToken> {
    if (token.length > maxTokenLength || !compactForm.test(token)) {
      throw new ServiceError('rest_authentication_token_error')
    }
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
    // jose signs through Web Crypto, whose thread pool costs ten times what this HMAC does, twice for
    // each exchange. There is nothing to choose or to parse here, so nothing that could be confused.
    sign(claims, type) {
      const input = `${headers[type]}.${base64url(claims)}`
      return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
    },
    recall: (token) => verified.get(token),
    verify: verifySignature,
  }
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
