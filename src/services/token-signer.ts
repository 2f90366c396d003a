import { createHmac, createSecretKey, sign, timingSafeEqual } from 'node:crypto'
// jose's index would load encryption and remote key sets, too.
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { CompactSign } from 'jose/jws/compact/sign'
import { compactVerify } from 'jose/jws/compact/verify'
import { LRUCache } from 'lru-cache'
import {
  type PresentedToken,
  readClaims,
  type TokenClaims,
  type TokenHeaderType,
  type TokenType,
} from '../domain/access-token.js'
import { ServiceError } from '../errors.js'
import type { SigningAlgorithm } from '../domain/signing-key.js'
import type { KeyRing, PrivateKey } from './key-ring.js'
import type { SignatureMemoryMeasures } from './measures.js'

export interface TokenSigner {
  /**
   * @param algorithm One of `algorithms`; the first of them if absent.
   * @returns A JWS in compact form (RFC 7515, section 7.1).
   */
  sign(
    claims: TokenClaims,
    type: TokenHeaderType,
    algorithm?: SigningAlgorithm,
  ): string | Promise<string>
  /** What there is to sign with, now; the first does by default. */
  algorithms(type: TokenType): readonly SigningAlgorithm[]
  /** What a token says whose signature has been verified before, and is still remembered. */
  recall(token: string): PresentedToken | undefined
  /**
   * Verifies signature and shape, and remembers a token that comes again. What the claims *say* (time, issuer, user,
   * key) is not decided here: it depends on the moment.
   *
   * @throws {ServiceError} `rest_authentication_token_error`
   */
  verify(token: string): Promise<PresentedToken>
  measures(): SignatureMemoryMeasures
}

export interface TokenSignerOptions {
  secret: string
  keyRing: Pick<KeyRing, 'signer' | 'verifier' | 'onChange'>
  /** Bounds of the memory of verified signatures. */
  memory: { maxEntries: number; maxBytes: number }
}

const algorithm = 'HS256'
const headers = {
  JWT: base64url({ typ: 'JWT', alg: algorithm }),
  'at+jwt': base64url({ typ: 'at+jwt', alg: algorithm }),
} satisfies Record<TokenHeaderType, string>
const ownHeaders = new Set<string>(Object.values(headers))
/** Ours are about 600 characters. Longer ones are refused before any work is done on them. */
const maxTokenLength = 8192
// jose forgives padding, white space and spare bits in base64url (RFC 4648, section 3.5), and so would
// see one token in many texts.
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** What an entry costs beside its token's characters: the claims, the maps' own cells. */
const entryOverhead = 600
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Signs and verifies JWTs (RFC 7519), with one HMAC secret or with the keys of the ring. Tokens without
 * a key id are the secret's, for ever; all others are the key's that they name.
 *
 * A token in steady use is remembered by its whole text from its second verification on, so that it
 * costs no third. Failures are never remembered: garbage cannot push good tokens out.
 */
export function createTokenSigner(options: TokenSignerOptions): TokenSigner {
  const key = createSecretKey(Buffer.from(options.secret))
  const { maxEntries, maxBytes } = options.memory
  // With a bound of its own for the entries, lru-cache would reserve room for so many at once.
  const smallestSize = Math.ceil(maxBytes / maxEntries)
  const verified = new LRUCache<string, PresentedToken>({
    maxSize: maxBytes,
    sizeCalculation: (_, token) => Math.max(token.length + entryOverhead, smallestSize),
  })

  const regulars = createSightings()
  let hits = 0
  let misses = 0
  let generation = 0
  options.keyRing.onChange(() => {
    generation++
    verified.clear()
  })

  async function verifySignature(token: string): Promise<PresentedToken> {
    if (token.length > maxTokenLength || !compactForm.test(token)) {
      throw new ServiceError('rest_authentication_token_error')
    }
    const began = generation
    try {
      const claims: unknown = JSON.parse(decoder.decode(await readPayload(token)))
      if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
        throw new TypeError('The payload is not a JSON object')
      }
      const presented = readClaims(claims as Record<string, unknown>)
      if (!presented) throw new TypeError('A time claim is not a number')
      // While it was verified, its key may have been retired.
      if (regulars.sawBefore(token) && generation === began) verified.set(token, presented)
      return presented
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause
      throw new ServiceError('rest_authentication_token_error', { cause })
    }
  }

  // jose goes through Web Crypto, whose thread pool costs ten times what this HMAC does: twice for each
  // exchange, and once for each token that is not remembered.
  function mac(input: string): string {
    return createHmac('sha256', key).update(input).digest('base64url')
  }

  /** @throws if the signature is not good. */
  async function readPayload(token: string): Promise<Uint8Array> {
    const [header = '', payload = '', signature = ''] = token.split('.')
    if (!ownHeaders.has(header)) {
      if (!isCanonical(signature)) throw new TypeError('The signature has spare bits')
      const verifier = await verifierOf(token)
      // The algorithm is the key's, never the header's.
      const algorithms = [verifier.algorithm]
      return (await compactVerify(token, verifier.key, { algorithms })).payload
    }
    // With the very header that we write there is nothing to parse and nothing to be confused about:
    // the signature is the text that we would write, or it is not.
    const expected = Buffer.from(mac(`${header}.${payload}`))
    const presented = Buffer.from(signature)
    if (expected.length !== presented.length || !timingSafeEqual(expected, presented)) {
      throw new TypeError('The signature is not ours')
    }
    return Buffer.from(payload, 'base64url')
  }

  /** What verifies a token whose header is not one of those that we write with the secret. */
  async function verifierOf(token: string) {
    const { kid, typ } = decodeProtectedHeader(token)
    if (!isTokenType(typ)) throw new TypeError('The token is of another type')
    if (kid === undefined) return { key, algorithm }
    const verifier = typeof kid === 'string' ? await options.keyRing.verifier(kid) : undefined
    if (!verifier) throw new TypeError('The token names a key that is not there')
    return verifier
  }

  return {
    sign(claims, type, wanted) {
      // Nobody but this service reads refresh tokens. Were they signed with a key that others verify
      // by, somebody careless could take one for an access token.
      const isRefresh = claims.data.user.token_type === 'refresh'
      const signer = isRefresh ? undefined : options.keyRing.signer()
      if (signer && wanted !== algorithm) return signWithKey(signer, claims, type)
      const input = `${headers[type]}.${base64url(claims)}`
      return `${input}.${mac(input)}`
    },
    algorithms(type) {
      const signer = type === 'refresh' ? undefined : options.keyRing.signer()
      return signer ? [signer.algorithm, algorithm] : [algorithm]
    },
    recall(token) {
      const known = verified.get(token)
      if (known) hits++
      else misses++
      return known
    },
    verify: verifySignature,
    measures: () => ({ entries: verified.size, bytes: verified.calculatedSize, hits, misses }),
  }
}

/** About as many as fit into the default memory: who comes again later would not be found there. */
const sightingSlots = 1 << 15

/**
 * Tells tokens in use from those that come by once: a stream of ever new ones would otherwise push the
 * regulars out of the memory, and fill the heap with entries that nobody asks for. A signature is as
 * good as random, so a few of its characters are place and mark.
 */
function createSightings() {
  const marks = new Uint32Array(sightingSlots)
  return {
    /** Whether this token came by of late; it has from now on. */
    sawBefore(token: string): boolean {
      const bytes = Buffer.from(token.slice(-16), 'base64url')
      const slot = bytes.readUInt32LE(0) % sightingSlots
      const mark = bytes.readUInt32LE(4)
      const isKnown = marks[slot] === mark
      marks[slot] = mark
      return isKnown
    },
  }
}

/** How Node signs with an elliptic curve what RFC 7518, section 3.4, and RFC 8037 ask for. */
const curves = {
  ES256: { hash: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
  EdDSA: { hash: null, options: {} },
} as const

/**
 * An elliptic curve signs in 25 µs, and three times that by way of Web Crypto's threads. RSA takes ten
 * times as long, which the event loop does better without.
 */
function signWithKey(
  { kid, algorithm, key }: PrivateKey,
  claims: TokenClaims,
  typ: TokenHeaderType,
): string | Promise<string> {
  const protectedHeader = { typ, alg: algorithm, kid }
  if (algorithm === 'RS256' || algorithm === 'PS256') {
    return new CompactSign(encoder.encode(JSON.stringify(claims)))
      .setProtectedHeader(protectedHeader)
      .sign(key)
  }
  const { hash, options } = curves[algorithm]
  const input = `${base64url(protectedHeader)}.${base64url(claims)}`
  const signature = sign(hash, Buffer.from(input), { key, ...options })
  return `${input}.${signature.toString('base64url')}`
}

/**
 * Whether a header's `typ` is that of a token of ours, or says nothing: what is signed for another
 * purpose must not pass for one (RFC 8725, section 3.11).
 */
function isTokenType(typ: unknown): boolean {
  return (
    typ === undefined ||
    (typeof typ === 'string' && /^(?:jwt|(?:application\/)?at\+jwt)$/i.test(typ))
  )
}

/** Header and payload are signed as the texts that they are; the signature itself is by nobody. */
function isCanonical(signature: string): boolean {
  return Buffer.from(signature, 'base64url').toString('base64url') === signature
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
