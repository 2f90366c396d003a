import { randomBytes } from 'node:crypto'

export const minSecretBytes = 32

/**
 * Secrets of 32 bytes and more that stand in tutorials, libraries' documentation and jwt.io. Whoever
 * deploys one of them lets everybody sign tokens. Shorter samples fail on their length.
 */
const samples = new Set([
  'a-string-secret-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
  'your-256-bit-secret-your-256-bit-secret',
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
  'super-secret-jwt-token-with-at-least-32-characters-long',
  'this-is-a-secret-key-with-at-least-32-characters',
  'thisisasecretkeythatshouldbechanged',
  'please-change-me-to-a-long-random-string',
  'change-this-to-a-long-random-string',
  'change-me-to-a-long-random-secret-value',
  'your_jwt_secret_key_at_least_32_characters_long',
  'your-secret-key-at-least-32-characters-long',
  'my-super-secret-key-that-is-at-least-32-chars',
  '0123456789abcdef0123456789abcdef',
  '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
  'abcdefghijklmnopqrstuvwxyz123456',
  'abcdefghijklmnopqrstuvwxyz0123456789',
])

/** @returns What is wrong with an HMAC secret (RFC 7518, section 3.2), or `undefined`. */
export function secretProblem(secret: string): string | undefined {
  if (Buffer.byteLength(secret) < minSecretBytes) {
    return `must have at least ${minSecretBytes} bytes`
  }
  const isSample = samples.has(secret.toLowerCase()) || /put your unique phrase here/i.test(secret)
  if (isSample || new Set(secret).size < 8) {
    return 'is a well-known sample or too regular: use `openssl rand -base64 48`'
  }
  return undefined
}

/** @returns 64 characters of base64url (384 bits). */
export function generateSecret(): string {
  return randomBytes(48).toString('base64url')
}
