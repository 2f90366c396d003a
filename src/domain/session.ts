import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A browser that is logged in. The cookie holds the token; the store only its hash. */
export interface Session {
  id: string
  userId: number
  createdAt: number
  expiresAt: number
  ip: string | null
  userAgent: string | null
  /** When this browser last proved the second factor; `null` if it never has. */
  secondFactorAt: number | null
}

/** Fourteen days, WordPress's "remember me". */
export const sessionLifetime = 14 * 24 * 60 * 60

export function generateSessionToken(): string {
  return randomBytes(32).toString('base64url')
}

/** @returns The id under which the store keeps the session of this token. */
export function sessionIdOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/**
 * The nonce that proves a request was made by a page of ours and not by another site with the
 * user's cookies. Derived from the session's token, so it lives and dies with the session, needs no
 * storage, and a nonce of another session never fits.
 */
export function nonceOf(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('wp_rest').digest('base64url').slice(0, 22)
}

/** Compares in constant time. */
export function matchesNonce(sessionToken: string, nonce: string): boolean {
  const expected = Buffer.from(nonceOf(sessionToken))
  const presented = Buffer.from(nonce)
  return expected.length === presented.length && timingSafeEqual(expected, presented)
}
