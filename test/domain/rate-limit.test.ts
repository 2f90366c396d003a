import test from 'ava'
import { networkOf, parseRateLimit } from '../../src/domain/rate-limit.js'

for (const [text, limit] of [
  ['10/15m', { quota: 10, window: 900 }],
  ['1/s', { quota: 1, window: 1 }],
  ['600/1m', { quota: 600, window: 60 }],
  ['100/2h', { quota: 100, window: 7200 }],
  ['5/30d', { quota: 5, window: 2_592_000 }],
  ['0', 'off'],
  ['off', 'off'],
  ['5/31d', undefined],
  ['0/15m', undefined],
  ['10', undefined],
  ['10/', undefined],
  ['10/15', undefined],
  ['10/0m', undefined],
  ['-1/15m', undefined],
  ['1.5/15m', undefined],
  ['10/15m ', undefined],
  ['10/15y', undefined],
] as const) {
  test(`the limit "${text}" is ${JSON.stringify(limit) ?? 'none'}`, (t) => {
    t.deepEqual(parseRateLimit(text), limit)
  })
}

for (const [address, network] of [
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:CB00:7107', '203.0.113.7'],
  ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:DB8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::', '2001:db8:1:3::/64'],
  ['fe80::1:2:3', 'fe80:0:0:0::/64'],
] as const) {
  test(`${address} counts as ${network}`, (t) => t.is(networkOf(address), network))
}
