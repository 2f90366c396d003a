import { createPublicKey } from 'node:crypto'
import type { PublicKey } from './scene.js'

// A public key as bytes that a careless verifier might take for an HMAC secret.

type Form = [name: string, bytes: Buffer]

/** PEM as it may have been read from a file, an environment variable or a vault. */
function pemForms(name: string, pem: string): Form[] {
  const trimmed = pem.trimEnd()
  return [
    [name, pem],
    [`${name} without line end`, trimmed],
    [`${name} with two line ends`, `${pem}\n`],
    [`${name} with CRLF`, pem.replaceAll('\n', '\r\n')],
    [`${name} after a line end`, `\n${pem}`],
    [`${name} after a space`, ` ${pem}`],
    [`${name} after a tab and CRLF`, `\t\r\n${trimmed}`],
    [`${name} after a byte order mark`, `\uFEFF${pem}`],
    [`${name} with escaped line ends`, trimmed.replaceAll('\n', '\\n')],
    [`${name} without its frame`, trimmed.split('\n').slice(1, -1).join('')],
  ].map(([label = '', text = '']) => [label, Buffer.from(text)])
}

export function spkiForms(jwk: PublicKey): Form[] {
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const der = key.export({ type: 'spki', format: 'der' })
  return [
    ...pemForms('SPKI PEM', String(key.export({ type: 'spki', format: 'pem' }))),
    ['SPKI DER', der],
    ['SPKI DER in base64', Buffer.from(der.toString('base64'))],
  ]
}

/** Of RSA keys only. */
export function pkcs1Forms(jwk: PublicKey): Form[] {
  if (jwk.kty !== 'RSA') return []
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return [
    ...pemForms('PKCS#1 PEM', String(key.export({ type: 'pkcs1', format: 'pem' }))),
    ['PKCS#1 DER', key.export({ type: 'pkcs1', format: 'der' })],
  ]
}

/** The lines of `authorized_keys` (RFC 4253, section 6.6; RFC 5656; RFC 8709). */
export function openSshForms(jwk: PublicKey): Form[] {
  const bytes = (name: 'n' | 'e' | 'x' | 'y') => Buffer.from(String(jwk[name] ?? ''), 'base64url')
  const field = (value: Buffer | string) => {
    const data = Buffer.from(value as string)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, data])
  }
  // A number whose first bit is set would be negative.
  const number = (value: Buffer) =>
    field((value[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), value]) : value)
  const kinds: Record<string, [string, Buffer[]]> = {
    RSA: ['ssh-rsa', [number(bytes('e')), number(bytes('n'))]],
    EC: [
      'ecdsa-sha2-nistp256',
      [field('nistp256'), field(Buffer.concat([Buffer.from([4]), bytes('x'), bytes('y')]))],
    ],
    OKP: ['ssh-ed25519', [field(bytes('x'))]],
  }
  const [type, fields] = kinds[jwk.kty ?? ''] ?? []
  if (!type || !fields) return []
  const line = `${type} ${Buffer.concat([field(type), ...fields]).toString('base64')}`
  return [
    ['OpenSSH line', line],
    ['OpenSSH line with its end', `${line}\n`],
    ['OpenSSH line with a comment', `${line} root@sample`],
  ].map(([label = '', text = '']) => [label, Buffer.from(text)])
}

/** The JWK itself and its members. */
export function jwkForms(jwk: PublicKey): Form[] {
  const { kty, n, e, crv, x, y } = jwk
  const members = Object.entries({ crv, e, kty, n, x, y }).filter(([, value]) => value)
  const required = Object.fromEntries(members)
  const texts: [string, string][] = [
    ['JWK', JSON.stringify(jwk)],
    ['indented JWK', JSON.stringify(jwk, null, 2)],
    ['JWK of the thumbprint', JSON.stringify(required)],
    ['key set', JSON.stringify({ keys: [jwk] })],
    ['key id', String(jwk.kid ?? '')],
  ]
  const numbers: Form[] = Object.entries({ n, x, y })
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .flatMap(([name, value]) => [
      [`member ${name} as text`, Buffer.from(value)],
      [`member ${name} as bytes`, Buffer.from(value, 'base64url')],
    ])
  const point = Buffer.from(`${x ?? ''}${y ?? ''}`, 'base64url')
  return [
    ...texts.map(([name, text]): Form => [name, Buffer.from(text)]),
    ...numbers,
    ...(y === undefined
      ? []
      : [['uncompressed point', Buffer.concat([Buffer.from([4]), point])] as Form]),
  ]
}

export function allForms(jwk: PublicKey): Form[] {
  return [...spkiForms(jwk), ...pkcs1Forms(jwk), ...openSshForms(jwk), ...jwkForms(jwk)]
}
