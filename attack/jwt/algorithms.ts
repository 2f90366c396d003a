import { createHmac } from 'node:crypto'
import type { Attack } from '../attack.js'
import {
  base64url,
  hmacToken,
  type Json,
  keyToken,
  offer,
  offerRefresh,
  take,
  wishes,
} from '../forge.js'
import { allForms, pkcs1Forms, spkiForms } from '../public-keys.js'
import type { PublicKey } from '../scene.js'
import { ownKeyFor, specialSignatures } from './signatures.js'

const spellings: Record<string, unknown> = {
  none: 'none',
  None: 'None',
  NONE: 'NONE',
  nOnE: 'nOnE',
  'none and a space': 'none ',
  'a space and none': ' none',
  'none and NUL': 'none\0',
  'full-width none': 'ｎｏｎｅ',
  'none with a Cyrillic o': 'n\u043ene',
  'a list with none': ['none'],
  'an empty text': '',
  null: null,
  false: false,
  zero: 0,
  'an object': {},
  'an empty list': [],
}

/** Every way to say "not signed", with every way to leave out or make up a signature. */
function unsigned(head: Json, claims: Json, signature: string, algs: Record<string, unknown>) {
  const tokens: Record<string, string> = {}
  for (const [name, alg] of Object.entries(algs)) {
    for (const [header, kind] of [
      [{ ...head, alg }, 'as the real one'],
      [{ typ: 'JWT', alg }, 'without key id'],
    ] as const) {
      const input = `${base64url(header)}.${base64url(claims)}`
      tokens[`alg ${name}, ${kind}, no signature`] = `${input}.`
      tokens[`alg ${name}, ${kind}, no third part`] = input
      tokens[`alg ${name}, ${kind}, the real signature`] = `${input}.${signature}`
      tokens[`alg ${name}, ${kind}, an empty MAC`] = hmacToken(header, claims, '')
    }
  }
  return tokens
}

/** Tokens whose HMAC secret is what everybody may know. */
export function confused(
  keys: readonly PublicKey[],
  claims: Json,
  formsOf: (key: PublicKey) => readonly (readonly [string, Buffer])[],
  headersOf: (key: PublicKey) => Json[],
  sizes: readonly (256 | 384 | 512)[] = [256],
): Record<string, string> {
  const tokens: Record<string, string> = {}
  for (const key of keys) {
    for (const [form, secret] of formsOf(key)) {
      for (const bits of sizes) {
        for (const header of headersOf(key)) {
          const full = { typ: 'JWT', alg: `HS${bits}`, ...header }
          const name = `HS${bits} by ${form} of ${key.alg}, header ${JSON.stringify(full)}`
          tokens[name] = hmacToken(full, claims, secret, bits)
        }
      }
    }
  }
  return tokens
}

/** Secrets of tutorials and of forgetful operators. */
const weakSecrets = [
  '',
  'secret',
  'Secret',
  'SECRET',
  'mysecret',
  'my-secret',
  'my_secret',
  'secretkey',
  'secret_key',
  'secret-key',
  'jwt_secret',
  'jwt-secret',
  'jwtsecret',
  'JWT_SECRET',
  'password',
  'changeme',
  'change-me',
  'your-256-bit-secret',
  'your-384-bit-secret',
  'your-512-bit-secret',
  'your_jwt_secret',
  'your-secret-key',
  'your-secret',
  'shhhhh',
  'keyboard cat',
  'test',
  'dev',
  'development',
  'key',
  'token',
  'admin',
  'twinkey',
  '123456',
  '1234567890',
  'qwerty',
  'null',
  'undefined',
  '[object Object]',
  'put your unique phrase here',
  'a-string-secret-at-least-256-bits-long',
  'this-is-a-secret-key-with-at-least-32-characters',
  '0123456789abcdef0123456789abcdef',
  '\0'.repeat(32),
  'a'.repeat(32),
]

export const algorithmAttacks: Attack[] = [
  {
    name: 'jwt: no algorithm, in all spellings',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { head, signature } = take(scene.tokens().access)
      await offer(scene, see, unsigned(head, wishes(scene), signature, spellings))
      const refresh = take(scene.tokens().refresh)
      const none = unsigned(refresh.head, refresh.claims, '', { none: 'none' })
      await offerRefresh(scene, see, none)
    },
  },
  {
    name: 'jwt: a signature that is none',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { header, payload, signature } = take(scene.tokens().access)
      const forged = base64url(wishes(scene))
      const bytes = Buffer.from(signature, 'base64url')
      const flipped = Buffer.from(bytes)
      flipped[0] = (flipped[0] ?? 0) ^ 1
      await offer(scene, see, {
        'the real signature over other claims': `${header}.${forged}.${signature}`,
        'the real signature, one bit changed': `${header}.${payload}.${base64url(flipped)}`,
        'half of the signature': `${header}.${payload}.${base64url(bytes.subarray(0, 16))}`,
        'the signature twice': `${header}.${payload}.${base64url(Buffer.concat([bytes, bytes]))}`,
        'one byte': `${header}.${payload}.AA`,
        zeros: `${header}.${payload}.${base64url(Buffer.alloc(bytes.length))}`,
        'no signature': `${header}.${payload}.`,
        'no third part': `${header}.${payload}`,
        'the header alone': `${header}..${signature}`,
        'the signature alone': `..${signature}`,
        'two dots': '..',
      })
    },
  },
  {
    name: 'jwt: another algorithm named over the same signature',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { head, payload, signature } = take(scene.tokens().access)
      const algs = [
        'HS256',
        'HS384',
        'HS512',
        'RS256',
        'RS384',
        'PS256',
        'ES256',
        'ES384',
        'ES256K',
      ]
      const others = [
        ...algs,
        'EdDSA',
        'Ed25519',
        'A128KW',
        'dir',
        'hs256',
        'Hs256',
        'HS 256',
        'SHA256',
      ]
      const tokens = others
        .filter((alg) => alg !== head.alg)
        .map((alg) => [`alg ${alg}`, `${base64url({ ...head, alg })}.${payload}.${signature}`])
      await offer(scene, see, Object.fromEntries(tokens))
    },
  },
  {
    name: 'jwt: a public key as HMAC secret, in all forms',
    expectation: 'refused',
    needs: ['a key-pair', 'public keys'],
    async run(scene, see) {
      const claims = wishes(scene)
      const named = (key: PublicKey) => [{ kid: key.kid }, {}]
      await offer(scene, see, confused(scene.keys, claims, allForms, named))
      const pems = (key: PublicKey) => [
        ...spkiForms(key).slice(0, 3),
        ...pkcs1Forms(key).slice(0, 3),
      ]
      await offer(scene, see, confused(scene.keys, claims, pems, named, [384, 512]))
    },
  },
  {
    name: 'jwt: a public key as HMAC secret of a refresh token',
    expectation: 'refused',
    needs: ['a key-pair', 'public keys'],
    async run(scene, see) {
      const { claims } = take(scene.tokens().refresh)
      const pems = (key: PublicKey) => spkiForms(key).slice(0, 2)
      const tokens = confused(scene.keys, claims, pems, (key) => [{ kid: key.kid }, {}])
      await offerRefresh(scene, see, tokens)
    },
  },
  {
    name: 'jwt: a guessable secret',
    expectation: 'none of the well-known ones',
    needs: ['a key-pair'],
    async run(scene, see) {
      // Tried on the token itself, so nobody is asked. Refresh tokens are the secret's in any case.
      const { head, header, payload, signature } = take(scene.tokens().refresh)
      if (!String(head.alg).startsWith('HS')) return see('the refresh token', 'no HMAC', true)
      const hash = `sha${String(head.alg).slice(2)}`
      for (const secret of [...weakSecrets, scene.target.url, new URL(scene.target.url).hostname]) {
        const mac = createHmac(hash, secret).update(`${header}.${payload}`).digest('base64url')
        see(
          `secret ${JSON.stringify(secret)}`,
          mac === signature ? 'guessed' : 'wrong',
          mac !== signature,
        )
      }
    },
  },
  {
    name: 'jwt: another key of the same type',
    expectation: 'refused',
    needs: ['a key-pair', 'public keys'],
    async run(scene, see) {
      const claims = wishes(scene)
      const tokens: Record<string, string> = {}
      for (const key of scene.keys) {
        const { privateKey } = ownKeyFor(key)
        tokens[`${key.alg}, with its key id`] = keyToken(
          { typ: 'JWT', alg: key.alg, kid: key.kid },
          claims,
          privateKey,
        )
        tokens[`${key.alg}, without key id`] = keyToken(
          { typ: 'JWT', alg: key.alg },
          claims,
          privateKey,
        )
      }
      await offer(scene, see, tokens)
    },
  },
  {
    name: 'jwt: signatures of zeros and of small numbers',
    expectation: 'refused',
    needs: ['a key-pair', 'public keys'],
    async run(scene, see) {
      const tokens: Record<string, string> = {}
      for (const { alg, kid, n } of scene.keys) {
        const input = `${base64url({ typ: 'JWT', alg, kid })}.${base64url(wishes(scene))}`
        for (const [name, bytes] of specialSignatures(n)) {
          tokens[`${name} for ${alg}`] = `${input}.${base64url(bytes)}`
        }
      }
      await offer(scene, see, tokens)
    },
  },
]
