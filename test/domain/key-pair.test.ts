import { createHash } from 'node:crypto'
import test from 'ava'
import {
  apiKeyOfForm,
  generateApiKey,
  generateApiSecret,
  hashSecret,
  isWellFormedSecret,
  matchesSecret,
  maxApiKeyLength,
} from '../../src/domain/key-pair.js'

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

test('an API key is the user’s id and 24 base-62 characters', (t) => {
  for (let i = 0; i < 200; i++) t.regex(generateApiKey(1), /^1[0-9A-Za-z]{24}$/)
  t.regex(generateApiKey(4_294_967_295), /^4294967295[0-9A-Za-z]{24}$/)
  t.true(generateApiKey(Number.MAX_SAFE_INTEGER).length <= maxApiKeyLength)
})

test('an API secret is twk_, 40 base-62 characters and a check sum of six', (t) => {
  for (let i = 0; i < 200; i++) t.regex(generateApiSecret(), /^twk_[0-9A-Za-z]{46}$/)
})

test('keys and secrets use the whole alphabet evenly, and never repeat', (t) => {
  const counts = new Map<string, number>()
  const seen = new Set<string>()
  for (let i = 0; i < 2000; i++) {
    const secret = generateApiSecret()
    const key = generateApiKey(7)
    seen.add(secret).add(key)
    for (const character of secret.slice(4, 44) + key.slice(1)) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
  }
  t.is(seen.size, 4000)
  t.deepEqual([...counts.keys()].sort().join(''), [...base62].sort().join(''))
  const expected = (2000 * 64) / 62
  for (const [character, count] of counts) {
    // Seven standard deviations: a fair generator fails this once in ten billion runs.
    t.true(Math.abs(count - expected) < 7 * Math.sqrt(expected), `${character}: ${count}`)
  }
})

// Computed with Python's zlib.crc32, most significant digit first.
const vectors = [
  'twk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA229OjG',
  'twk_0123456789abcdefghijklmnopqrstuvwxyzABCD0wzUgp',
  'twk_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz4Bgz3j',
  'twk_kT5Wq0zR8yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ004WgA3M',
]
for (const secret of vectors) {
  test(`${secret} is well-formed`, (t) => t.true(isWellFormedSecret(secret)))
}

test('what is generated is well-formed', (t) => {
  for (let i = 0; i < 500; i++) t.true(isWellFormedSecret(generateApiSecret()))
})

test('every typo of a single character is caught', (t) => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
  for (const secret of [...vectors, generateApiSecret()]) {
    let missed = 0
    for (let i = 0; i < secret.length; i++) {
      for (const character of printable) {
        if (character === secret[i]) continue
        if (isWellFormedSecret(secret.slice(0, i) + character + secret.slice(i + 1))) missed++
      }
    }
    t.is(missed, 0, secret)
  }
})

test('swapped, lost and doubled characters are caught', (t) => {
  const [, secret = ''] = vectors
  for (let i = 0; i < secret.length - 1; i++) {
    const [a = '', b = ''] = [secret[i], secret[i + 1]]
    t.false(isWellFormedSecret(secret.slice(0, i) + secret.slice(i + 1)), `without ${i}`)
    t.false(isWellFormedSecret(secret.slice(0, i) + a + secret.slice(i)), `twice ${i}`)
    const swapped = secret.slice(0, i) + b + a + secret.slice(i + 2)
    if (a !== b) t.false(isWellFormedSecret(swapped), `swapped ${i}`)
  }
})

for (const other of [
  '',
  'twk_',
  ` ${vectors[0]}`,
  `${vectors[0]}\n`,
  vectors[0]?.toUpperCase() ?? '',
]) {
  test(`${JSON.stringify(other)} is not well-formed`, (t) => t.false(isWellFormedSecret(other)))
}

test('a secret is stored as its SHA-256 in base64url', (t) => {
  // RFC 6234's "abc".
  t.deepEqual(hashSecret('abc'), {
    scheme: 'sha256',
    hash: 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
  })
  const secret = generateApiSecret()
  t.is(hashSecret(secret).hash, createHash('sha256').update(secret).digest('base64url'))
})

test('only the secret itself matches its hash', (t) => {
  const secret = generateApiSecret()
  const stored = hashSecret(secret)
  t.true(matchesSecret(stored, secret))
  for (const other of ['', ` ${secret}`, secret.toLowerCase(), stored.hash, secret.slice(0, -1)]) {
    t.false(matchesSecret(stored, other), other)
  }
  t.false(matchesSecret({ scheme: 'sha256', hash: '' }, secret))
  t.false(matchesSecret({ scheme: 'sha256', hash: stored.hash.slice(0, -1) }, secret))
})

test('a form mints one key however often it is sent, which depends on all that it is made from', (t) => {
  const key = apiKeyOfForm(3, 'session', 'form')
  t.regex(key, /^3[0-9A-Za-z]{24}$/)
  t.is(apiKeyOfForm(3, 'session', 'form'), key)
  t.not(apiKeyOfForm(3, 'session', 'form2'), key)
  t.not(apiKeyOfForm(3, 'session2', 'form'), key)
})
