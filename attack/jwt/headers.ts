import { createHash, createHmac, type JsonWebKey, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import type { Attack } from '../attack.js'
import { selfSigned } from '../der.js'
import { base64url, hmacToken, type Json, keyToken, offer, take, wishes } from '../forge.js'
import { ownKeyFor } from './signatures.js'

interface OwnKey {
  alg: string
  privateKey: KeyObject
  jwk: JsonWebKey & { kid: string; alg: string; use: string }
}

function ownKeys(): OwnKey[] {
  const pairs = {
    ES256: ownKeyFor({ kty: 'EC' }),
    RS256: ownKeyFor({ kty: 'RSA' }),
    EdDSA: ownKeyFor({ kty: 'OKP' }),
  }
  return Object.entries(pairs).map(([alg, { privateKey, publicKey }]) => {
    const jwk = publicKey.export({ format: 'jwk' })
    const { crv, e, kty, n, x, y } = jwk
    const members = Object.entries({ crv, e, kty, n, x, y }).filter(([, value]) => value)
    const text = JSON.stringify(Object.fromEntries(members))
    const kid = createHash('sha256').update(text).digest('base64url')
    return { alg, privateKey, jwk: { ...jwk, kid, alg, use: 'sig' } }
  })
}

/** Runs `work` beside a server that has the attacker's keys, and tells how often it was asked. */
async function withKeyServer(
  keys: readonly OwnKey[],
  work: (url: string) => Promise<void>,
): Promise<number> {
  let visits = 0
  const server = createServer((_, response) => {
    visits++
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
  return visits
}

/** Key ids that have been put into a path, a query, a shell or an object without another thought. */
const keyIds: Record<string, unknown> = {
  'SQL, another key': "' UNION SELECT 'secret",
  'SQL, always true': "' OR '1'='1",
  'SQL, a comment': "x'--",
  'SQL, a second statement': "'; DROP TABLE signing_keys; --",
  'an empty file': '/dev/null',
  'an empty file by a relative path': '../../../../../../../../dev/null',
  'an encoded path': '..%2f..%2f..%2fdev%2fnull',
  'a known file': '/proc/sys/kernel/randomize_va_space',
  'a path with NUL': '../../dev/null\0.pem',
  'a file URL': 'file:///dev/null',
  'a URL': 'http://127.0.0.1:9/key',
  'a command': '|/usr/bin/id',
  'a command to wait': '$(sleep 60)',
  'a template': '{{7*7}}<%= 7*7 %>#{7*7}',
  'a prototype': '__proto__',
  'a constructor': 'constructor',
  'a method': 'toString',
  'line ends': 'x\r\nX-Auth-User-Id: 1',
  'an empty text': '',
  'a space': ' ',
  NUL: '\0',
  'a lone surrogate': '\ud800',
  'a very long text': 'A'.repeat(5000),
  'as long as a thumbprint': 'A'.repeat(43),
  'a number': 0,
  'a huge number': 1e308,
  true: true,
  null: null,
  'a list': ['x'],
  'a list of the real one': [],
  'an object': { toString: 'x' },
}

const secrets: Record<string, string> = {
  nothing: '',
  'what was injected': 'secret',
  'the contents of the file': '2\n',
}

export const headerAttacks: Attack[] = [
  {
    name: 'jwt: the key brought along (jwk, x5c)',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const claims = wishes(scene)
      const { kid: realKid } = take(scene.tokens().access).head
      const tokens: Record<string, string> = {}
      for (const { alg, privateKey, jwk } of ownKeys()) {
        for (const kid of [undefined, jwk.kid, realKid]) {
          const header = { typ: 'JWT', alg, ...(kid !== undefined && { kid }) }
          const name = `${alg}, key id ${kid}`
          tokens[`jwk, ${name}`] = keyToken({ ...header, jwk }, claims, privateKey)
          tokens[`jwk as text, ${name}`] = keyToken(
            { ...header, jwk: JSON.stringify(jwk) },
            claims,
            privateKey,
          )
          if (alg !== 'RS256') continue
          const der = selfSigned(privateKey, 'twinkey')
          const x5c = [der.toString('base64')]
          const print = (hash: string) => createHash(hash).update(der).digest('base64url')
          tokens[`x5c, ${name}`] = keyToken({ ...header, x5c }, claims, privateKey)
          tokens[`x5c and thumbprints, ${name}`] = keyToken(
            { ...header, x5c, x5t: print('sha1'), 'x5t#S256': print('sha256') },
            claims,
            privateKey,
          )
        }
      }
      const jwk = { kty: 'oct', k: base64url('secret') }
      tokens['a symmetric jwk'] = hmacToken({ typ: 'JWT', alg: 'HS256', jwk }, claims, 'secret')
      await offer(scene, see, tokens)
    },
  },
  {
    name: 'jwt: the key at an address of the attacker’s (jku, x5u)',
    expectation: 'refused, and the address never visited',
    needs: ['a key-pair'],
    async run(scene, see) {
      const claims = wishes(scene)
      const keys = ownKeys()
      const visits = await withKeyServer(keys, async (url) => {
        const tokens: Record<string, string> = {}
        for (const { alg, privateKey, jwk } of keys) {
          for (const [name, more] of [
            ['jku', { jku: `${url}/jwks.json` }],
            ['jku with the service’s host as user', { jku: url.replace('://', '://twinkey@') }],
            ['x5u', { x5u: `${url}/chain.pem` }],
            ['issuer', { iss: url }],
          ] as const) {
            const header = { typ: 'JWT', alg, kid: jwk.kid, ...more }
            tokens[`${name}, ${alg}`] = keyToken(
              header,
              { ...claims, ...(name === 'issuer' && more) },
              privateKey,
            )
          }
        }
        await offer(scene, see, tokens)
      })
      see('the attacker’s server', visits === 0 ? 'not visited' : 'visited', visits === 0)
    },
  },
  {
    name: 'jwt: injection by the key id',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const claims = wishes(scene)
      const tokens: Record<string, string> = {}
      for (const [name, kid] of Object.entries(keyIds)) {
        for (const [what, secret] of Object.entries(secrets)) {
          tokens[`${name}, signed with ${what}`] = hmacToken(
            { typ: 'JWT', alg: 'HS256', kid },
            claims,
            secret,
          )
        }
      }
      await offer(scene, see, tokens)
    },
  },
  {
    name: 'jwt: critical and unencoded (crit, b64, zip, cty)',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { head, payload, signature } = take(scene.tokens().access)
      const claims = JSON.stringify(wishes(scene))
      const tokens: Record<string, string> = {}
      for (const more of [
        { crit: ['exp'], exp: 1 },
        { crit: [] },
        { crit: 'exp' },
        { crit: [''] },
        { crit: ['alg'] },
        { crit: ['b64'], b64: false },
        { b64: false },
        { zip: 'DEF' },
        { cty: 'JWT' },
        { enc: 'A128GCM' },
      ]) {
        const header = base64url({ ...head, ...more })
        tokens[`${JSON.stringify(more)}, the real signature`] = `${header}.${payload}.${signature}`
        const plain = `${header}.${claims}`
        const mac = createHmac('sha256', '').update(plain).digest('base64url')
        tokens[`${JSON.stringify(more)}, a plain payload`] = `${plain}.${mac}`
        tokens[`${JSON.stringify(more)}, detached`] = `${header}..${signature}`
      }
      const zipped = deflateRawSync(claims).toString('base64url')
      tokens['a compressed payload'] =
        `${base64url({ ...head, zip: 'DEF' })}.${zipped}.${signature}`
      await offer(scene, see, tokens)
    },
  },
  {
    name: 'jwt: duplicate members of the header',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const claims = wishes(scene)
      const { head, payload, signature } = take(scene.tokens().access)
      const real = JSON.stringify(head).slice(1, -1)
      const texts: Record<string, string> = {
        'none first': `{"alg":"none",${real}}`,
        'none last': `{${real},"alg":"none"}`,
        'none escaped': `{${real},"\\u0061lg":"none"}`,
        'HS256 last': `{${real},"alg":"HS256"}`,
        'no key id last': `{${real},"kid":null}`,
        'a prototype': `{${real},"__proto__":{"alg":"none"}}`,
        'a BOM': `\uFEFF{${real}}`,
        'a comment': `{${real}/* */}`,
        'a trailing comma': `{${real},}`,
      }
      const tokens: Record<string, string> = {}
      for (const [name, text] of Object.entries(texts)) {
        tokens[`${name}, empty MAC`] = hmacToken(text, claims as Json, '')
        tokens[`${name}, no signature`] = `${base64url(text)}.${base64url(claims)}.`
        tokens[`${name}, the real signature`] = `${base64url(text)}.${payload}.${signature}`
      }
      await offer(scene, see, tokens)
    },
  },
]
