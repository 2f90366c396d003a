import test from 'ava'
import {
  boundedLifetime,
  effectiveScopes,
  isAllowedFrom,
  isExpired,
  isNetwork,
  openPolicy,
  type PolicyBounds,
  policyProblems,
  scopesOf,
} from '../../src/domain/key-pair-policy.js'
import { hashSecret, isLiveVersion, versionOfSecret } from '../../src/domain/key-pair.js'

const now = 1_800_000_000
const day = 86_400
const defined = [
  { name: 'read', description: 'Read everything' },
  { name: 'write', description: 'Change things' },
]
const bounds: PolicyBounds = {
  now,
  createdAt: now,
  current: undefined,
  defined,
  maxLifetime: undefined,
}

for (const [text, expected] of [
  ['203.0.113.7', true],
  ['203.0.113.0/24', true],
  ['0.0.0.0/0', true],
  ['203.0.113.7/32', true],
  ['203.0.113.7/33', false],
  ['203.0.113.7/', false],
  ['203.0.113.7/024', false],
  ['203.0.113.7/-1', false],
  ['203.0.113.7/24/8', false],
  ['203.0.113', false],
  ['203.0.113.256', false],
  ['2001:db8::/32', true],
  ['2001:db8::1', true],
  ['::/0', true],
  ['2001:db8::/129', false],
  ['fe80::1%eth0', false],
  ['example.com', false],
  ['', false],
  ['/24', false],
] as const) {
  test(`"${text}" is ${expected ? 'a' : 'no'} network`, (t) => t.is(isNetwork(text), expected))
}

for (const [address, networks, expected] of [
  ['203.0.113.7', null, true],
  [null, null, true],
  [null, ['0.0.0.0/0', '::/0'], false],
  ['not an address', ['0.0.0.0/0'], false],
  ['203.0.113.7', ['203.0.113.7'], true],
  ['203.0.113.8', ['203.0.113.7'], false],
  ['203.0.113.255', ['203.0.113.0/24'], true],
  ['203.0.114.0', ['203.0.113.0/24'], false],
  ['203.0.113.255', ['203.0.113.77/24'], true],
  ['10.1.2.3', ['203.0.113.0/24', '10.0.0.0/8'], true],
  ['10.1.2.3', ['::/0'], false],
  ['2001:db8::1', ['0.0.0.0/0'], false],
  ['2001:db8:ffff::1', ['2001:db8::/32'], true],
  ['2001:DB8::1', ['2001:db8:0:0::1'], true],
  ['2001:db9::1', ['2001:db8::/32'], false],
  ['::ffff:203.0.113.7', ['0.0.0.0/0'], false],
] as const) {
  test(`${address} is ${expected ? '' : 'not '}within ${networks ?? 'everywhere'}`, (t) => {
    t.is(isAllowedFrom(networks, address), expected)
  })
}

test('a policy that limits nothing has no problems', (t) => {
  t.deepEqual(policyProblems(openPolicy, bounds), {})
  t.deepEqual(policyProblems({}, bounds), {})
})

test('every parameter that is wrong is named', (t) => {
  const wrong = {
    expiresAt: now,
    scopes: ['read', 'admin'],
    networks: ['example.com'],
    description: 'x'.repeat(1001),
  }
  t.deepEqual(policyProblems(wrong, bounds), {
    expires_at: 'must be in the future',
    scopes: 'must be among read, write',
    networks: 'must be addresses or CIDR ranges such as 203.0.113.0/24 or 2001:db8::/32',
    description: 'must have at most 1000 characters',
  })
  t.deepEqual(policyProblems({ scopes: ['read'] }, { ...bounds, defined: [] }), {
    scopes: 'cannot be chosen: none are defined here',
  })
  t.deepEqual(policyProblems({ scopes: [], networks: [] }, bounds), {
    scopes: 'must not be empty',
    networks: 'must not be empty',
  })
  const many = Array.from({ length: 51 }, (_, i) => `10.0.0.${i}`)
  t.deepEqual(policyProblems({ networks: many }, bounds), { networks: 'must be at most 50' })
  for (const expiresAt of [Number.NaN, 1.5 + now, 253_402_300_800]) {
    t.deepEqual(Object.keys(policyProblems({ expiresAt }, bounds)), ['expires_at'])
  }
})

test('a bounded life is counted from the minting, and can always be shortened', (t) => {
  const capped = { ...bounds, maxLifetime: 30 * day }
  const problem = 'must be at most 30 days after the key-pair was minted'
  t.deepEqual(policyProblems({ expiresAt: now + 30 * day }, capped), {})
  t.deepEqual(policyProblems({ expiresAt: now + 30 * day + 1 }, capped), { expires_at: problem })
  t.deepEqual(policyProblems({ expiresAt: null }, capped), { expires_at: problem })
  const old = {
    ...capped,
    createdAt: now - 20 * day,
    current: { ...openPolicy, expiresAt: now + 9 },
  }
  t.deepEqual(policyProblems({ expiresAt: now + 10 * day }, old), {})
  t.deepEqual(policyProblems({ expiresAt: now + 11 * day }, old), { expires_at: problem })
  const endless = { ...capped, createdAt: now - 400 * day, current: openPolicy }
  t.deepEqual(policyProblems({ expiresAt: now + 365 * day }, endless), {})
  t.deepEqual(policyProblems({ expiresAt: null }, endless), {})
})

test('a pair is dead from the second of its expiry, and no token outlives it', (t) => {
  t.false(isExpired({ expiresAt: null }, now))
  t.false(isExpired({ expiresAt: now + 1 }, now))
  t.true(isExpired({ expiresAt: now }, now))
  t.is(boundedLifetime({ expiresAt: null }, 600, now), 600)
  t.is(boundedLifetime({ expiresAt: now + 599 }, 600, now), 599)
  t.is(boundedLifetime({ expiresAt: now + 601 }, 600, now), 600)
})

test('a token has what it says, its pair still has and the list still defines', (t) => {
  t.deepEqual(scopesOf({ scopes: null }, defined), ['read', 'write'])
  t.deepEqual(scopesOf({ scopes: ['write', 'struck'] }, defined), ['write'])
  t.deepEqual(scopesOf({ scopes: ['struck'] }, defined), [])
  t.deepEqual(effectiveScopes(undefined, { scopes: null }, defined), ['read', 'write'])
  t.deepEqual(effectiveScopes(['read'], { scopes: null }, defined), ['read'])
  t.deepEqual(effectiveScopes(['read', 'write'], { scopes: ['write'] }, defined), ['write'])
  t.deepEqual(effectiveScopes(['struck'], { scopes: null }, defined), [])
})

test('in an overlap two secrets are good, and the tokens of both', (t) => {
  const pair = {
    secret: hashSecret('new'),
    secretVersion: 4,
    previousSecret: { ...hashSecret('old'), expiresAt: now },
  }
  t.is(versionOfSecret(pair, 'new', now), 4)
  t.is(versionOfSecret(pair, 'old', now - 1), 3)
  t.is(versionOfSecret(pair, 'old', now), undefined)
  t.is(versionOfSecret(pair, 'other', now - 1), undefined)
  t.is(versionOfSecret({ ...pair, previousSecret: null }, 'old', now - 1), undefined)
  t.deepEqual(
    [2, 3, 4, 5].map((version) => isLiveVersion(pair, version, now - 1)),
    [false, true, true, false],
  )
  t.deepEqual(
    [3, 4].map((version) => isLiveVersion(pair, version, now)),
    [false, true],
  )
})
