import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'

// The refresh token of a device as clients of usefulteam/jwt-auth know it: `<user id>.<64 hexadecimal
// digits>`. What is behind the dot names the chain and the place in it, and proves that we wrote it,
// so there is nothing to keep and the same successor can be written twice.

export interface CookieContent {
  userId: number
  chain: string
  generation: number
}

const chainBytes = 16
const generationBytes = 4
const macBytes = 12

const cookiePattern = /^([1-9]\d{0,15})\.([0-9a-f]{64})$/

/** Whether a refresh token has this form, and is no JWT. */
export function isRefreshCookie(text: string): boolean {
  return cookiePattern.test(text)
}

/** @param key As `createSecretKey` makes it of the secret that signs tokens. */
export function writeRefreshCookie(key: KeyObject, content: CookieContent): string {
  const body = Buffer.alloc(chainBytes + generationBytes)
  body.write(content.chain, 'base64url')
  body.writeUInt32BE(content.generation, chainBytes)
  const mac = macOf(key, content.userId, body)
  return `${content.userId}.${Buffer.concat([body, mac]).toString('hex')}`
}

/** @returns `malformed` if it does not look like one, `unknown` if we did not write it. */
export function readRefreshCookie(
  key: KeyObject,
  text: string,
): CookieContent | 'malformed' | 'unknown' {
  const [, id, digits] = cookiePattern.exec(text) ?? []
  if (!id || !digits) return 'malformed'
  const bytes = Buffer.from(digits, 'hex')
  const body = bytes.subarray(0, chainBytes + generationBytes)
  const userId = Number(id)
  if (!timingSafeEqual(bytes.subarray(body.length), macOf(key, userId, body))) return 'unknown'
  return {
    userId,
    chain: body.subarray(0, chainBytes).toString('base64url'),
    generation: body.readUInt32BE(chainBytes),
  }
}

/** The words keep it apart from the signature of a token, which is made with the same key. */
function macOf(key: KeyObject, userId: number, body: Buffer): Buffer {
  const mac = createHmac('sha256', key).update(`refresh cookie of ${userId}\n`).update(body)
  return mac.digest().subarray(0, macBytes)
}
