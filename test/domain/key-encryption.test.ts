import { randomBytes } from 'node:crypto'
import test from 'ava'
import {
  decrypt,
  encrypt,
  generateEncryptionKey,
  parseEncryptionKey,
} from '../../src/domain/key-encryption.js'

const key = randomBytes(32)

test('what is encrypted is decrypted, and looks different each time', (t) => {
  for (const text of ['', 'a', '{"kty":"EC","d":"ä€😀"}', 'x'.repeat(5000)]) {
    const encrypted = encrypt(key, 'kid', text)
    t.is(decrypt(key, 'kid', encrypted), text)
    t.not(encrypt(key, 'kid', text), encrypted)
  }
})

test('another key, another name or another text is refused', (t) => {
  const encrypted = encrypt(key, 'kid', 'secret')
  t.throws(() => decrypt(randomBytes(32), 'kid', encrypted))
  t.throws(() => decrypt(key, 'another', encrypted))
  const bytes = Buffer.from(encrypted, 'base64url')
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i] = (changed[i] ?? 0) ^ 1
    t.throws(() => decrypt(key, 'kid', changed.toString('base64url')), undefined, `byte ${i}`)
  }
  for (const length of [0, 1, 12, 20, bytes.length - 1]) {
    t.throws(() => decrypt(key, 'kid', bytes.subarray(0, length).toString('base64url')))
  }
})

test('a key that was made can be read', (t) => {
  t.is(parseEncryptionKey(generateEncryptionKey())?.length, 32)
})
