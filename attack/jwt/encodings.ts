import { deflateRawSync } from 'node:zlib'
import type { Attack } from '../attack.js'
import { base64url, type Json, offer, offerRefresh, take } from '../forge.js'
import { bearer, type Scene, tokenPath } from '../scene.js'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The texts that stand for the same bytes as `part` if the bits after the last byte are ignored. */
export function siblings(part: string): string[] {
  const unused = (part.length * 6) % 8
  const last = alphabet.indexOf(part.slice(-1))
  const first = last - (last % 2 ** unused)
  return Array.from(
    { length: 2 ** unused },
    (_, i) => part.slice(0, -1) + alphabet[first + i],
  ).filter((text) => text !== part)
}

/** The real token in other letters: one that is known by its text would be known by half. */
function respelled(token: string): Record<string, string> {
  const { header, payload, signature } = take(token)
  const tokens: Record<string, string> = {}
  const parts = [header, payload, signature]
  for (const [i, name] of ['header', 'payload', 'signature'].entries()) {
    const part = parts[i] ?? ''
    const variants: [string, string][] = [
      ['padded', `${part}${'='.repeat((4 - (part.length % 4)) % 4 || 1)}`],
      ['with a space', `${part.slice(0, 4)} ${part.slice(4)}`],
      ['with a tab', `${part.slice(0, 4)}\t${part.slice(4)}`],
      ['with a line end', `${part.slice(0, 4)}\n${part.slice(4)}`],
      ['with a dot', `${part.slice(0, 4)}.${part.slice(4)}`],
      ['with a percent sign', `${part.slice(0, 4)}%20${part.slice(4)}`],
      ['and one letter more', `${part}A`],
      ...siblings(part).map((text): [string, string] => [
        `with other spare bits (${text.slice(-1)})`,
        text,
      ]),
    ]
    const standard = part.replaceAll('-', '+').replaceAll('_', '/')
    if (standard !== part) variants.push(['in the other alphabet', standard])
    for (const [how, text] of variants) {
      tokens[`${name} ${how}`] = parts.map((own, at) => (at === i ? text : own)).join('.')
    }
  }
  return {
    ...tokens,
    quoted: `"${token}"`,
    'in brackets': `<${token}>`,
    'with the scheme twice': `Bearer ${token}`,
    twice: `${token}, ${token}`,
    'with a dot at the end': `${token}.`,
    'with a dot at the start': `.${token}`,
    'with a comma': `${token},`,
    'with percent-encoded dots': token.replaceAll('.', '%2E'),
    'in base64': Buffer.from(token).toString('base64'),
    'in upper case': token.toUpperCase(),
  }
}

/** JWS in JSON (RFC 7515, section 7.2), and JSON about tokens. */
function inJson(token: string): Record<string, string> {
  const { header, payload, signature, head } = take(token)
  const flattened = { payload, protected: header, signature }
  return {
    flattened: JSON.stringify(flattened),
    'flattened with an unprotected header': JSON.stringify({ payload, header: head, signature }),
    general: JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    'general without signatures': JSON.stringify({ payload, signatures: [] }),
    'a list': JSON.stringify([token]),
    'an object': JSON.stringify({ access_token: token }),
    'in base64url': base64url(flattened),
  }
}

/** Tokens that are dear to whoever tries to decrypt them. */
export function encrypted(claims: Json): Record<string, string> {
  const bomb = deflateRawSync(Buffer.alloc(3_000_000, ' ')).toString('base64url')
  const iv = base64url(Buffer.alloc(12))
  const tag = base64url(Buffer.alloc(16))
  const jwe = (header: Json, key: string, text: string) =>
    [base64url(header), key, iv, text, tag].join('.')
  const text = base64url(claims)
  const salted = (alg: string, p2c: number) => ({
    alg,
    enc: 'A128GCM',
    p2s: base64url('salt-salt'),
    p2c,
  })
  return {
    dir: jwe({ alg: 'dir', enc: 'A256GCM' }, '', text),
    'dir, compressed': jwe({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }, '', bomb),
    'RSA-OAEP': jwe({ alg: 'RSA-OAEP', enc: 'A256GCM' }, base64url(Buffer.alloc(256)), text),
    'ECDH-ES': jwe(
      { alg: 'ECDH-ES', enc: 'A256GCM', epk: { kty: 'EC', crv: 'P-256', x: tag, y: tag } },
      '',
      text,
    ),
    'PBES2, 2 147 483 647 rounds': jwe(salted('PBES2-HS256+A128KW', 2 ** 31 - 1), tag, text),
    'PBES2-HS512, 1e9 rounds': jwe(salted('PBES2-HS512+A256KW', 1e9), tag, text),
    'nested, cty JWT': jwe({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' }, '', base64url('a.b.c')),
  }
}

async function followsWith(scene: Scene, headers: Record<string, string>, path: string) {
  return scene.target.send(path, { headers })
}

export const encodingAttacks: Attack[] = [
  {
    name: 'jwt: the real token, spelled differently',
    expectation: 'refused: one token is one text',
    needs: ['a key-pair'],
    async run(scene, see) {
      await offer(scene, see, respelled(scene.tokens().access))
      const { header, payload, signature } = take(scene.tokens().refresh)
      const others = siblings(signature).map((text) => [text, `${header}.${payload}.${text}`])
      await offerRefresh(scene, see, Object.fromEntries(others))
    },
  },
  {
    name: 'jwt: JSON serialization and other wrappings',
    expectation: 'refused',
    needs: ['a key-pair'],
    run: (scene, see) => offer(scene, see, inJson(scene.tokens().access)),
  },
  {
    name: 'jwt: encrypted and nested tokens',
    expectation: 'refused, without decrypting',
    needs: ['a key-pair'],
    run: (scene, see) => offer(scene, see, encrypted(take(scene.tokens().access).claims)),
  },
  {
    name: 'jwt: oversized parts',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { header, payload, signature, head, claims } = take(scene.tokens().access)
      const long = 'A'.repeat(9000)
      await offer(scene, see, {
        'a long header': `${base64url({ ...head, x: long.slice(0, 7000) })}.${payload}.${signature}`,
        'a long payload': `${header}.${base64url({ ...claims, x: long.slice(0, 7000) })}.${signature}`,
        'a long signature': `${header}.${payload}.${long}`,
        'a deep payload': `${header}.${base64url('['.repeat(4000) + ']'.repeat(4000))}.${signature}`,
        'a thousand dots': '.'.repeat(1000),
        'nine thousand letters': long,
      })
    },
  },
  {
    name: 'jwt: one kind of credential in the place of another',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { access, refresh } = scene.tokens()
      const { apiKey, apiSecret } = scene.pair()
      for (const path of ['/wp-json/wp/v2/users/me', '/forward-auth']) {
        const answer = await followsWith(scene, bearer(refresh), path)
        see(`a refresh token as bearer at ${path}`, answer, answer.status >= 400)
        for (const cookie of ['twinkey_session', '__Host-twinkey_session']) {
          const answer = await followsWith(scene, { Cookie: `${cookie}=${access}` }, path)
          see(`an access token as cookie at ${path}`, answer, answer.status >= 400)
        }
        for (const query of ['access_token', 'token', 'jwt', 'bearer']) {
          const answer = await scene.target.send(`${path}?${query}=${access}`)
          see(`an access token in the query, ${query}, at ${path}`, answer, answer.status >= 400)
        }
      }
      await offer(scene, see, {
        'the key': apiKey,
        'the secret': apiSecret,
        both: `${apiKey}:${apiSecret}`,
        'both in base64': base64url(`${apiKey}:${apiSecret}`),
      })
      await offerRefresh(scene, see, { 'an access token': access, 'the secret': apiSecret })
      for (const [name, fields] of [
        ['an access token as secret', { api_key: apiKey, api_secret: access }],
        ['a refresh token as secret', { api_key: apiKey, api_secret: refresh }],
        ['the key as secret', { api_key: apiKey, api_secret: apiKey }],
        ['the secret as key', { api_key: apiSecret, api_secret: apiSecret }],
      ] as const) {
        const body = new URLSearchParams(fields).toString()
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
        const answer = await scene.target.send(tokenPath, { method: 'POST', headers, body })
        see(name, answer, answer.status >= 400)
      }
    },
  },
]
