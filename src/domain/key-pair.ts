import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { customAlphabet } from 'nanoid'
import type { KeyPairPolicy } from './key-pair-policy.js'

/** One application's credential. The secret itself is shown once, at minting, and never stored. */
export interface KeyPair extends KeyPairPolicy {
  id: number
  userId: number
  /** What the user called it, e.g. "Backup script". Two pairs may share a name. */
  name: string
  /** Public half; appears in logs and in the `api_key` claim. */
  apiKey: string
  /** Seconds since the Unix epoch, as in a JWT NumericDate. */
  createdAt: number
  lastUsedAt: number | null
  /** Address of the last use, e.g. `203.0.113.7` or `2001:db8::1`. */
  lastIp: string | null
  /** `null` while the pair is alive. Nothing ever turns a revoked pair back. */
  revokedAt: number | null
  /** User who revoked it; `null` also where an operator did, from the command line. */
  revokedBy: number | null
  revokedReason: RevocationReason | null
  /** How often the secret has been rotated. */
  secretVersion: number
  /** Last exchange with the secret of now. */
  secretUsedAt: number | null
  /** The secret before that, while the overlap of the rotation lasts. */
  previousSecret: { expiresAt: number; usedAt: number | null } | null
}

export type RevocationReason = 'revoked' | 'revoked_all' | 'password_changed'

/** How the stored hash of a secret was made. Imported hashes live beside our own. */
export type HashScheme = 'sha256'

/** What the store keeps to recognise a secret. */
export interface SecretHash {
  scheme: HashScheme
  hash: string
}

/** What there is to recognise the secrets of a pair by: the one of now and, in an overlap, the one before. */
export interface PairSecrets {
  secret: SecretHash
  /** Of `secret`; the one before has the number before. */
  secretVersion: number
  previousSecret: (SecretHash & { expiresAt: number }) | null
}

export const maxNameLength = 255
/** No key of ours, nor of a system we import from, is longer: longer input needs no look-up. */
export const maxApiKeyLength = 64
const secretPrefix = 'twk_'
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const random24 = customAlphabet(base62, 24)
const random40 = customAlphabet(base62, 40)

/** @returns The user's id followed by 24 base-62 characters (142 bits). */
export function generateApiKey(userId: number): string {
  return `${userId}${random24()}`
}

/**
 * The key that a form mints, however often it is sent: reloading the answer finds the key taken.
 *
 * @param sessionToken Keeps the choice of the key from whoever fills in the form.
 * @param formToken Random, one a form.
 */
export function apiKeyOfForm(userId: number, sessionToken: string, formToken: string): string {
  const digest = createHmac('sha256', sessionToken).update(`mint:${formToken}`).digest('hex')
  let value = BigInt(`0x${digest}`)
  let digits = ''
  while (digits.length < 24) {
    digits += base62.charAt(Number(value % 62n))
    value /= 62n
  }
  return `${userId}${digits}`
}

/**
 * @returns `twk_`, 40 base-62 characters (238 bits) and a six-character check sum. Every character
 *   survives shells, `curl -F`, URLs and a double-click; that is why there is no punctuation in it.
 */
export function generateApiSecret(): string {
  const body = secretPrefix + random40()
  return body + checkSum(body)
}

/** Recognises a mistyped or truncated secret without a look-up. Says nothing about validity. */
export function isWellFormedSecret(secret: string): boolean {
  if (!/^twk_[0-9A-Za-z]{46}$/.test(secret)) return false
  return secret.endsWith(checkSum(secret.slice(0, -6)))
}

/** CRC-32 of `body` as six base-62 digits, most significant first. */
function checkSum(body: string): string {
  let value = crc32(body)
  let digits = ''
  for (let i = 0; i < 6; i++) {
    digits = base62.charAt(value % 62) + digits
    value = Math.floor(value / 62)
  }
  return digits
}

// A 238-bit random secret cannot be guessed offline, so a fast hash is enough here and keeps the
// exchange cheap. Passwords are guessable: those go through argon2id in password.ts.
export function hashSecret(secret: string): SecretHash {
  return { scheme: 'sha256', hash: createHash('sha256').update(secret).digest('base64url') }
}

/** Compares in constant time. */
export function matchesSecret(stored: SecretHash, secret: string): boolean {
  const presented = Buffer.from(hashSecret(secret).hash)
  const expected = Buffer.from(stored.hash)
  return expected.length === presented.length && timingSafeEqual(expected, presented)
}

/** @returns Which secret of the pair it is, by its version; `undefined` if it is none that is good now. */
export function versionOfSecret(
  pair: PairSecrets,
  presented: string,
  now: number,
): number | undefined {
  if (matchesSecret(pair.secret, presented)) return pair.secretVersion
  const previous = pair.previousSecret
  if (previous && previous.expiresAt > now && matchesSecret(previous, presented)) {
    return pair.secretVersion - 1
  }
  return undefined
}

/** Compared with where there is no such key, so that it takes as long as where the secret is wrong. */
export const nobodysSecrets: PairSecrets = {
  secret: hashSecret(random40()),
  secretVersion: 0,
  previousSecret: null,
}

/** Whether tokens that were made with the secret of this version are still good: they die with it. */
export function isLiveVersion(pair: PairSecrets, version: number, now: number): boolean {
  if (version === pair.secretVersion) return true
  const previous = pair.previousSecret
  return previous !== null && previous.expiresAt > now && version === pair.secretVersion - 1
}
