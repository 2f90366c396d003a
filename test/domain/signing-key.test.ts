import test from 'ava'
import { type SigningKey, signingKeyAt } from '../../src/domain/signing-key.js'

const key = (kid: string, fields: Partial<SigningKey>): SigningKey => ({
  kid,
  algorithm: 'ES256',
  state: 'next',
  createdAt: 0,
  activatedAt: null,
  replacedAt: null,
  retiredAt: null,
  ...fields,
})
const current = key('current', { state: 'current', activatedAt: 100 })
const older = key('older', { state: 'previous', activatedAt: 10, replacedAt: 50 })
const newer = key('newer', { state: 'previous', activatedAt: 50, replacedAt: 95 })

for (const [what, keys, now, expected] of [
  ['no key', [], 100, undefined],
  ['a next key only', [key('next', {})], 100, undefined],
  ['previous keys only', [older, newer], 100, undefined],
  ['a current key from its moment on', [older, newer, current], 100, 'current'],
  ['the one before until then', [newer, older, current], 99, 'newer'],
  ['none before, until then', [key('next', {}), current], 99, undefined],
] as const) {
  test(`with ${what} signs ${expected ?? 'the secret'}`, (t) => {
    t.is(signingKeyAt(keys, now)?.kid, expected)
  })
}
