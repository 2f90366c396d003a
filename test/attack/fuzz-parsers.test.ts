import { Readable } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import test from 'ava'
import fc from 'fast-check'
import { ConfigError, loadConfig } from '../../src/config.js'
import { isCurrent, readClaims } from '../../src/domain/access-token.js'
import { parseEncryptionKey } from '../../src/domain/key-encryption.js'
import { apiKeyOfForm, generateApiSecret, isWellFormedSecret } from '../../src/domain/key-pair.js'
import { isAllowedFrom, isNetwork, parseMoment } from '../../src/domain/key-pair-policy.js'
import { networkOf, parseRateLimit } from '../../src/domain/rate-limit.js'
import { parseDefinedScopes, parseScopes } from '../../src/domain/scope.js'
import { matchesNonce, nonceOf } from '../../src/domain/session.js'
import { secretProblem } from '../../src/domain/signing-secret.js'
import { textProblem } from '../../src/domain/text.js'
import { nicenameFrom } from '../../src/domain/user.js'
import { ServiceError } from '../../src/errors.js'
import { addressOf } from '../../src/http/client-address.js'
import { readForm } from '../../src/http/form.js'
import { hasBearer, readBearer } from '../../src/http/guards/bearer.js'
import { asciiText } from '../../src/http/guards/bearer-challenge.js'
import { readClientSecret } from '../../src/http/oauth/client-secret.js'
import { oauthTokenArgs } from '../../src/http/oauth/token.js'
import { ownPath } from '../../src/http/pages/page.js'
import { readId, readParams } from '../../src/http/params.js'
import { policyArgs, readPolicy } from '../../src/http/wp/policy-params.js'
import { createTokenSigner } from '../../src/services/token-signer.js'
import { jwtSecret } from '../helpers/with-service.js'
import { seed, text, value } from './fuzz.js'

// Parsers, as functions: whatever comes in, they answer or refuse, and never throw anything else.

function holds(title: string, ...property: Parameters<typeof fc.assert>): void {
  test(`${title}, whatever comes in`, async (t) => {
    await t.notThrowsAsync(async () =>
      fc.assert(property[0], { seed, numRuns: 1000, ...property[1] }),
    )
  })
}

/** Runs what may refuse, as long as it does so in our words. */
function mayRefuse<T>(
  work: () => T,
  kind: new (...args: never[]) => Error = ServiceError,
): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof kind && !(error instanceof ServiceError && error.status >= 500))
      return undefined
    throw error
  }
}

const address = fc.oneof(fc.ipV4(), fc.ipV6(), text)
const network = fc.oneof(
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: -1, max: 140 }))
    .map((pair) => pair.join('/')),
  address,
)

holds(
  'a network that is one can be looked up',
  fc.property(network, address, (range, from) => {
    if (!isNetwork(range)) return
    isAllowedFrom([range], from)
    const [base = '', prefix] = range.split('/')
    if (prefix === undefined) return isAllowedFrom([range], base)
  }),
)

holds(
  'a network contains its own address',
  fc.property(
    network,
    (range) => !isNetwork(range) || isAllowedFrom([range], range.split('/')[0] ?? ''),
  ),
)

holds(
  'nobody is allowed from nowhere',
  fc.property(network, (range) => !isNetwork(range) || !isAllowedFrom([range], null)),
)

holds(
  'a moment is a number, never or none',
  fc.property(text, (input) => {
    const moment = parseMoment(input)
    return moment === null || moment === undefined || Number.isSafeInteger(moment)
  }),
)

holds(
  'a moment that was written is the moment that is read',
  fc.property(
    fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
    (date) => parseMoment(date.toISOString()) === Math.floor(date.getTime() / 1000),
  ),
)

holds(
  'a limit is one or none',
  fc.property(text, (input) => {
    const limit = parseRateLimit(input)
    return typeof limit !== 'object' || (limit.quota > 0 && limit.window > 0)
  }),
)

holds(
  'every address has a network',
  fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (input) => {
    const { length } = networkOf(input)
    return length > 0 && length < 64
  }),
)

holds(
  'scopes are names',
  fc.property(text, (input) => {
    const scopes = parseScopes(input)
    parseDefinedScopes(input)
    return scopes === undefined || scopes.every((name) => /^[\x21-\x7e]+$/.test(name))
  }),
)

holds(
  'claims are read without trusting them',
  fc.property(
    fc.record(
      {
        exp: value,
        nbf: value,
        iat: value,
        iss: value,
        aud: value,
        sub: value,
        scope: value,
        data: value,
      },
      { requiredKeys: [] },
    ),
    value,
    (claims, user) => {
      for (const data of [claims.data, { user }]) {
        const token = readClaims({ ...claims, data })
        if (!token) continue
        isCurrent(token, 1_700_000_000)
        if (token.expiresAt !== undefined && !Number.isFinite(token.expiresAt)) return false
        if (token.userId !== undefined && !(token.userId > 0)) return false
        if (token.apiKey !== undefined && typeof token.apiKey !== 'string') return false
      }
      return true
    },
  ),
)

const noKeys = { signer: () => undefined, verifier: async () => undefined, onChange() {} }
const signer = createTokenSigner({
  secret: jwtSecret,
  keyRing: noKeys,
  memory: { maxEntries: 10, maxBytes: 10_000 },
})
const part = fc.oneof(
  fc.base64String({ maxLength: 80 }),
  text,
  value.map((json) => Buffer.from(JSON.stringify(json)).toString('base64url')),
  fc
    .record({ alg: value, typ: value, kid: value, crit: value, jwk: value }, { requiredKeys: [] })
    .map((header) => Buffer.from(JSON.stringify(header)).toString('base64url')),
)
holds(
  'no token is good that was not signed',
  fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), async (parts) => {
    const token = parts.join('.')
    return signer.verify(token).then(
      () => false,
      (error) => error instanceof ServiceError && error.code === 'rest_authentication_token_error',
    )
  }),
)

holds(
  'parameters are read or refused',
  fc.property(
    fc.dictionary(
      fc.constantFrom('expires_at', 'scopes', 'networks', 'description', '__proto__', 'x'),
      value,
    ),
    (input) => {
      mayRefuse(() => readPolicy(readParams(policyArgs, input)))
    },
  ),
)

holds(
  'a client proves itself or is refused',
  fc.property(
    fc.dictionary(
      fc.constantFrom(
        'client_id',
        'client_secret',
        'api_key',
        'api_secret',
        'grant_type',
        'resource',
      ),
      value,
    ),
    fc.oneof(
      fc.constant(undefined),
      text,
      text.map((input) => `Basic ${Buffer.from(input).toString('base64')}`),
    ),
    (fields, authorization) => {
      const client = mayRefuse(() =>
        readClientSecret(authorization, readParams(oauthTokenArgs, fields)),
      )
      return client === undefined || (client.apiKey !== '' && client.apiSecret !== '')
    },
  ),
)

holds(
  'a bearer is read or refused',
  fc.property(
    fc.oneof(
      text,
      text.map((input) => `Bearer ${input}`),
    ),
    (header) => {
      const token = mayRefuse(() => readBearer(header))
      return token === undefined || (hasBearer(header) && token === token.trim())
    },
  ),
)

holds(
  'an address is one or none',
  fc.property(text, fc.ipV4(), fc.integer({ min: 0, max: 3 }), (forwarded, peer, proxies) => {
    const request = { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress: peer } }
    const found = addressOf(request as unknown as IncomingMessage, proxies)
    return found !== null && (proxies > 0 || found === peer)
  }),
)

holds(
  'log-in leads to pages of ours only',
  fc.property(
    fc.oneof(
      text,
      fc.webUrl(),
      text.map((input) => `/profile${input}`),
      text.map((input) => `//${input}`),
    ),
    (next) => {
      const path = ownPath(next)
      return (
        /^\/(?:profile|users)/.test(path) &&
        new URL(path, 'https://own.sample.org').host === 'own.sample.org'
      )
    },
  ),
)

holds(
  'a challenge is ASCII without quotes',
  fc.property(
    text,
    (input) => /^[\x20-\x7e]*$/.test(asciiText(input)) && !/["\\]/.test(asciiText(input)),
  ),
)

holds(
  'an urlencoded body is read or refused',
  fc.asyncProperty(
    fc.oneof(
      text,
      fc.array(fc.tuple(text, text)).map((pairs) => pairs.map((pair) => pair.join('=')).join('&')),
      fc.uint8Array({ maxLength: 200 }),
    ),
    async (body) => {
      const bytes = Buffer.from(body as string)
      const request = Object.assign(Readable.from([bytes]), {
        headers: { 'content-length': String(bytes.length) },
      })
      const fields = await readForm(request as unknown as IncomingMessage).catch((error) => {
        if (error.status === 400 || error.status === 413) return {}
        throw error
      })
      return Object.getPrototypeOf({}).polluted === undefined && typeof fields === 'object'
    },
  ),
)

holds(
  'small parsers answer',
  fc.property(text, text, (a, b) => {
    parseEncryptionKey(a)
    secretProblem(a)
    textProblem(a, 10)
    return (
      !isWellFormedSecret(a) &&
      isWellFormedSecret(generateApiSecret()) &&
      matchesNonce(a, nonceOf(a)) &&
      (a === b || !matchesNonce(a, b)) &&
      /^1[0-9A-Za-z]{24,}$/.test(apiKeyOfForm(1, a, b)) &&
      /^[a-z0-9_-]*$/.test(nicenameFrom(a)) &&
      readId(a) !== undefined
    )
  }),
)

const variables = [
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'JWT_SECRET',
  'KEY_ENCRYPTION_KEY',
  'DATABASE_URL',
  'KEY_PAIR_SCOPES',
  'CORS_ORIGINS',
  'TRUST_PROXY',
  'TOKEN_AUDIENCES',
  'RATE_LIMIT_LOGIN',
  'SECURITY_CONTACT',
  'ACCESS_TOKEN_TTL',
  'KEY_PAIR_MAX_LIFETIME',
  'LOG_LEVEL',
]
const databaseUrl = fc.oneof(
  text,
  text.map((input) => `mysql://u:${input}@h/n`),
  text.map((input) => `mysql://${input}`),
  text.map((input) => `sqlite:${input}`),
)
holds(
  'a configuration is read, or refused without its secrets',
  fc.property(fc.dictionary(fc.constantFrom(...variables), text), databaseUrl, (env, url) => {
    const secret = 'my-very-own-password'
    mayRefuse(() => loadConfig({ ...env, DATABASE_URL: url }), ConfigError)
    try {
      loadConfig({
        ...env,
        PORT: 'x',
        DATABASE_URL: `mysql://u:${secret}@${url}`,
        JWT_SECRET: secret,
      })
      return false
    } catch (error) {
      return error instanceof ConfigError && !error.message.includes(secret)
    }
  }),
  { numRuns: 300 },
)
