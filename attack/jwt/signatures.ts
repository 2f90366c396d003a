import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'

/** The order of P-256 (SEC 2, section 2.4.2). */
export const orderOfP256 = BigInt(
  '0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
)

export function bytesOf(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')
}

/** Signatures that verifiers without range checks have accepted for any text. */
export function specialSignatures(modulus?: string): [string, Buffer][] {
  const rs = (r: bigint, s: bigint) => Buffer.concat([bytesOf(r, 32), bytesOf(s, 32)])
  const order = orderOfP256
  const identity = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)])
  const rsa = modulus ? Buffer.from(modulus, 'base64url') : Buffer.alloc(256, 255)
  const one = Buffer.alloc(rsa.length)
  one[rsa.length - 1] = 1
  const almost = Buffer.from(rsa)
  almost[rsa.length - 1] = (almost[rsa.length - 1] ?? 1) - 1
  return [
    ['r = s = 0', rs(0n, 0n)],
    ['r = 0, s = 1', rs(0n, 1n)],
    ['r = 1, s = 0', rs(1n, 0n)],
    ['r = s = 1', rs(1n, 1n)],
    ['r = s = the order', rs(order, order)],
    ['r = 0, s = the order', rs(0n, order)],
    ['r = s = 0 in DER', Buffer.from('3006020100020100', 'hex')],
    ['the neutral point', identity],
    ['a length of 0', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(rsa.length)],
    ['the number one', one],
    ['the modulus', rsa],
    ['the modulus less one', almost],
  ]
}

type OwnPair = ReturnType<typeof generateKeyPairSync>
const ownPairs = new Map<string, OwnPair>()

/** A key of the same kind: the attacker's own. Making one of RSA takes a while, so there is one of each. */
export function ownKeyFor({ kty = 'EC' }: JsonWebKey): OwnPair {
  const known = ownPairs.get(kty)
  if (known) return known
  const made =
    kty === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kty === 'OKP'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  ownPairs.set(kty, made)
  return made
}
