import { createSecretKey } from 'node:crypto'
import test from 'ava'
import { type DeviceChain, decideRefresh, generateChain } from '../../src/domain/device.js'
import { readRefreshCookie, writeRefreshCookie } from '../../src/domain/refresh-cookie.js'

const now = 1_800_000_000
const chain = (fields: Partial<DeviceChain> = {}): DeviceChain => ({
  generation: 5,
  issuedAt: now - 10,
  refreshExpiresAt: now + 1000,
  endedAt: null,
  ...fields,
})

for (const [title, fields, generation, grace, decision] of [
  ['the token of now is rotated', {}, 5, 30, 'rotate'],
  ['the one before is answered again within the grace', {}, 4, 30, 'repeat'],
  ['… in its last second', { issuedAt: now - 29 }, 4, 30, 'repeat'],
  ['… also where the clock of another node is ahead', { issuedAt: now + 2 }, 4, 30, 'repeat'],
  ['… but not from then on', { issuedAt: now - 30 }, 4, 30, 'reused'],
  ['… nor without a grace', { issuedAt: now }, 4, 0, 'reused'],
  ['the one before that is reused at once', {}, 3, 30, 'reused'],
  ['so is one that is still to come', {}, 6, 30, 'reused'],
  ['and one without a number', {}, undefined, 30, 'reused'],
  ['nothing comes after the end', { endedAt: now - 1 }, 5, 30, 'ended'],
  ['not even a repetition', { endedAt: now - 1 }, 4, 30, 'ended'],
  ['an expired token is not rotated', { refreshExpiresAt: now }, 5, 30, 'expired'],
  ['but is reused if it had been replaced', { refreshExpiresAt: now }, 3, 30, 'reused'],
] as const) {
  test(title, (t) => t.is(decideRefresh(chain(fields), generation, grace, now), decision))
}

const key = createSecretKey(Buffer.from('a secret of at least thirty-two bytes'))

test('what is written into a cookie is read back, and is always the same text', (t) => {
  const content = { userId: 7, chain: generateChain(), generation: 4_294_967_295 }
  const cookie = writeRefreshCookie(key, content)
  t.regex(cookie, /^7\.[0-9a-f]{64}$/)
  t.is(writeRefreshCookie(key, content), cookie)
  t.deepEqual(readRefreshCookie(key, cookie), content)
})

test('a cookie that was changed anywhere, or is another’s, is not ours', (t) => {
  const cookie = writeRefreshCookie(key, { userId: 7, chain: generateChain(), generation: 3 })
  for (let i = 2; i < cookie.length; i++) {
    const digit = cookie[i] === '0' ? '1' : '0'
    t.is(readRefreshCookie(key, cookie.slice(0, i) + digit + cookie.slice(i + 1)), 'unknown')
  }
  t.is(readRefreshCookie(key, `8${cookie.slice(1)}`), 'unknown')
  const other = createSecretKey(Buffer.from('another secret of at least thirty-two bytes'))
  t.is(readRefreshCookie(other, cookie), 'unknown')
})

for (const text of ['', '7', '7.', '.ab', `0.${'a'.repeat(64)}`, `7.${'a'.repeat(63)}`]) {
  test(`${JSON.stringify(text)} is malformed`, (t) => {
    t.is(readRefreshCookie(key, text), 'malformed')
    t.is(readRefreshCookie(key, `${text} `), 'malformed')
  })
}

test('capital letters, white space and signs are malformed', (t) => {
  for (const id of ['07', '-7', '7e1', ' 7']) {
    t.is(readRefreshCookie(key, `${id}.${'a'.repeat(64)}`), 'malformed')
  }
  t.is(readRefreshCookie(key, `7.${'A'.repeat(64)}`), 'malformed')
  t.is(readRefreshCookie(key, `7.${'a'.repeat(64)}\n`), 'malformed')
})
