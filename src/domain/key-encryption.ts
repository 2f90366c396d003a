import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** AES-256-GCM, with the IV in front of the ciphertext and the tag behind it. */
const cipher = 'aes-256-gcm'
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16

/** @returns The 32 bytes that a text spells in hexadecimal or base64, or `undefined`. */
export function parseEncryptionKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  if (!/^[\w+/-]{43}=?$/.test(text)) return undefined
  const key = Buffer.from(text, 'base64')
  return key.length === keyBytes ? key : undefined
}

/** @returns 32 random bytes in base64. */
export function generateEncryptionKey(): string {
  return randomBytes(keyBytes).toString('base64')
}

/**
 * @param name What is encrypted. It is no secret, but must be the same when it is decrypted: a row
 *   that was copied over another is refused.
 * @returns Base64url.
 */
export function encrypt(key: Uint8Array, name: string, text: string): string {
  const iv = randomBytes(ivBytes)
  const encryption = createCipheriv(cipher, key, iv).setAAD(Buffer.from(name))
  const encrypted = Buffer.concat([encryption.update(text, 'utf8'), encryption.final()])
  return Buffer.concat([iv, encrypted, encryption.getAuthTag()]).toString('base64url')
}

/** @throws if the key is another one, or what is encrypted has been changed. */
export function decrypt(key: Uint8Array, name: string, encrypted: string): string {
  const bytes = Buffer.from(encrypted, 'base64url')
  const tagAt = bytes.length - tagBytes
  const decryption = createDecipheriv(cipher, key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes.subarray(tagAt))
  return Buffer.concat([
    decryption.update(bytes.subarray(ivBytes, tagAt)),
    decryption.final(),
  ]).toString('utf8')
}
