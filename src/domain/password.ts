import { type Algorithm, hash, verify } from '@node-rs/argon2'
import { customAlphabet } from 'nanoid'

export const minPasswordLength = 8
/** In bytes of UTF-8. Long enough for any passphrase, short enough to hash. */
export const maxPasswordBytes = 1024

// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
const options = {
  algorithm: 2 satisfies Algorithm,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
}

/** @returns An argon2id hash in PHC string form. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, options)
}

let decoy: Promise<string> | undefined

/**
 * @param stored The user's hash, or `undefined` where no such user exists: the same work is done
 *   then, so that the time taken does not tell which logins exist.
 */
export async function verifyPassword(
  stored: string | undefined,
  password: string,
): Promise<boolean> {
  decoy ??= hash('decoy', options)
  const matches = await verify(stored ?? (await decoy), password)
  return stored !== undefined && matches
}

/** @returns What is wrong with a new password, or `undefined`. */
export function passwordProblem(password: string): string | undefined {
  if ([...password].length < minPasswordLength) {
    return `must have at least ${minPasswordLength} characters`
  }
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    return `must have at most ${maxPasswordBytes} bytes`
  }
  return undefined
}

/** Without the characters that people confuse when they copy from a screen. */
const readable = '23456789ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz'

/** @returns A random password of 24 characters (138 bits) that is easy to copy. */
export const generatePassword = customAlphabet(readable, 24)
