import { createHash } from 'node:crypto'
import test from 'ava'
import {
  generateSessionToken,
  matchesNonce,
  nonceOf,
  sessionIdOf,
} from '../../src/domain/session.js'

test('a session’s token has 256 random bits and is stored as a hash', (t) => {
  const tokens = Array.from({ length: 200 }, () => generateSessionToken())
  t.is(new Set(tokens).size, tokens.length)
  for (const token of tokens) {
    t.regex(token, /^[\w-]{43}$/)
    t.is(sessionIdOf(token), createHash('sha256').update(token).digest('base64url'))
  }
})

test('a nonce belongs to one session, and tells nothing about its token', (t) => {
  const [mine, other] = [generateSessionToken(), generateSessionToken()]
  const nonce = nonceOf(mine)
  t.regex(nonce, /^[\w-]{22}$/)
  t.is(nonceOf(mine), nonce)
  t.true(matchesNonce(mine, nonce))
  t.false(matchesNonce(other, nonce))
  t.false(mine.includes(nonce) || sessionIdOf(mine).includes(nonce))
})

for (const [what, change] of [
  ['empty', () => ''],
  ['cut short', (nonce: string) => nonce.slice(0, -1)],
  ['made longer', (nonce: string) => `${nonce}A`],
  [
    'in other case',
    (nonce: string) =>
      nonce.replace(/[a-z]/i, (c) => (c < 'a' ? c.toLowerCase() : c.toUpperCase())),
  ],
  ['as wide characters', (nonce: string) => `${nonce.slice(0, -1)}é`],
] as const) {
  test(`a nonce that is ${what} does not fit`, (t) => {
    const token = 'x'.repeat(43)
    t.false(matchesNonce(token, change(nonceOf(token))))
  })
}
