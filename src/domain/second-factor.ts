import { createHash } from 'node:crypto'
import { customAlphabet } from 'nanoid'

/** What a user has beside the password. */
export interface SecondFactors {
  /** Whether an administrator has said that this user cannot mint without one. */
  isRequired: boolean
  hasTotp: boolean
  passkeys: number
  /** Recovery codes that have not been used. */
  recoveryCodes: number
}

/** Recovery codes alone are no factor: they stand in for one. */
export function hasSecondFactor({ hasTotp, passkeys }: SecondFactors): boolean {
  return hasTotp || passkeys > 0
}

/** Seconds for which a browser that has proven the second factor may do what needs it. */
export const stepUpLifetime = 15 * 60

export function isStepUpFresh(secondFactorAt: number | null, now: number): boolean {
  return secondFactorAt !== null && now - secondFactorAt < stepUpLifetime
}

/** From the right password to the second factor, in seconds. */
export const pendingLoginLifetime = 10 * 60

/** From a challenge to the passkey's answer, in seconds. */
export const challengeLifetime = 5 * 60

/** A passkey, as far as the service knows it: the private key never leaves its owner's device. */
export interface Passkey {
  id: number
  userId: number
  /** Base64url. */
  credentialId: string
  /** COSE key, base64url. */
  publicKey: string
  /** How often it was used, as far as the device says. */
  counter: number
  /** Ways to reach the device, e.g. `internal`, `usb`. */
  transports: string[]
  name: string
  createdAt: number
  lastUsedAt: number | null
}

export const maxPasskeys = 20
export const maxPasskeyNameLength = 100

export const recoveryCodeCount = 10

/** Without the characters that people confuse when they copy from paper. */
const readable16 = customAlphabet('23456789abcdefghjkmnpqrstuvwxyz', 16)

/** @returns 79 random bits in four groups, e.g. `k7wd-29fm-xqhr-6tpc`. */
export function generateRecoveryCode(): string {
  return (readable16().match(/.{4}/g) ?? []).join('-')
}

/** @returns The code without what people add or leave out, or `undefined` if it can be none. */
function plainRecoveryCode(typed: string): string | undefined {
  const plain = typed.toLowerCase().replace(/[\s-]/g, '')
  return /^[a-z2-9]{16}$/.test(plain) ? plain : undefined
}

/**
 * A code has 79 random bits: a fast hash is enough. With the user's id in it, so that codes of
 * different users cannot be looked up together.
 *
 * @returns `undefined` if what was typed is no recovery code.
 */
export function hashRecoveryCode(userId: number, typed: string): string | undefined {
  const plain = plainRecoveryCode(typed)
  if (plain === undefined) return undefined
  return createHash('sha256').update(`${userId}:${plain}`).digest('base64url')
}
