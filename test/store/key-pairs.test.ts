import type { RevocationReason } from '../../src/domain/key-pair.js'
import { createStores } from '../../src/store/index.js'
import type { NewKeyPair } from '../../src/store/key-pairs.js'
import { insertUser, onEachStore } from '../helpers/with-stores.js'

const revocation = { at: 2000, by: 1, reason: 'revoked' as RevocationReason }

const newPair = (userId: number, apiKey: string, fields: Partial<NewKeyPair> = {}): NewKeyPair => ({
  userId,
  name: apiKey,
  apiKey,
  secret: { scheme: 'sha256', hash: `hash-of-${apiKey}` },
  createdAt: 1000,
  ...fields,
})

onEachStore('a key-pair is read back as it was written', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const written = await stores.keyPairs.insert(
    newPair(userId, '1abc', { createdAt: 4_102_444_800 }),
  )
  t.deepEqual(written, {
    id: written.id,
    userId,
    name: '1abc',
    apiKey: '1abc',
    createdAt: 4_102_444_800,
    lastUsedAt: null,
    lastIp: null,
    revokedAt: null,
    revokedBy: null,
    revokedReason: null,
    secretVersion: 0,
    secretUsedAt: null,
    previousSecret: null,
    expiresAt: null,
    scopes: null,
    networks: null,
    requireDevice: false,
    description: '',
  })
  t.deepEqual(await stores.keyPairs.find(userId, '1abc'), written)
  t.deepEqual(await stores.keyPairs.listByUser(userId), [written])
  t.is(await stores.keyPairs.find(userId + 1, '1abc'), undefined)
})

for (const name of [
  '👩‍👩‍👧‍👦 family laptop 🏳️‍🌈',
  ' kept as typed ',
  'Łódź Ünïcode 日本語 עברית',
  'a\u0301 is not á',
  'O\'Brien "quoted" \\ back; drop table key_pairs; -- ?',
  '𝕏'.repeat(255),
]) {
  onEachStore(`a key-pair can be called ${name.slice(0, 40)}`, async (t, { stores }) => {
    const { id: userId } = await insertUser(stores, 'ada')
    await stores.keyPairs.insert(newPair(userId, 'key', { name }))
    t.is((await stores.keyPairs.find(userId, 'key'))?.name, name)
    t.true(await stores.keyPairs.rename(userId, 'key', `${name.slice(2)}!`))
    t.is((await stores.keyPairs.find(userId, 'key'))?.name, `${name.slice(2)}!`)
  })
}

onEachStore('an API key is compared byte for byte', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  await stores.keyPairs.insert(newPair(userId, '1AbCd'))
  for (const near of [
    '1abcd',
    '1ABCD',
    '1AbCd ',
    '1AbC',
    '1AbCd\0',
    '1ÁbCd',
    '１AbCd',
    '1AbC_',
    '%',
  ]) {
    t.is(await stores.keyPairs.find(userId, near), undefined, near)
    t.false(await stores.keyPairs.revoke(userId, near, revocation), near)
    t.false(await stores.keyPairs.rename(userId, near, 'x'), near)
  }
  t.deepEqual(await stores.keyStates.read(['1abcd', '1ABCD', '1AbC_', '%']), [])
  // Keys that differ in nothing but case live side by side.
  await stores.keyPairs.insert(newPair(userId, '1abcd'))
  await stores.keyPairs.insert(newPair(userId, '1ABCD'))
  t.true(await stores.keyPairs.revoke(userId, '1abcd', revocation))
  const alive = await stores.keyPairs.listByUser(userId)
  t.deepEqual(
    alive.map((pair) => pair.apiKey),
    ['1ABCD', '1AbCd'],
  )
})

onEachStore('two key-pairs cannot share a key, nor one belong to nobody', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  await stores.keyPairs.insert(newPair(userId, 'key'))
  // better-sqlite3's errors are made without a native constructor.
  await t.throwsAsync(stores.keyPairs.insert(newPair(userId, 'key')), { any: true })
  await t.throwsAsync(stores.keyPairs.insert(newPair(userId + 1, 'other')), { any: true })
  t.is((await stores.keyPairs.listByUser(userId)).length, 1)
})

onEachStore(
  'of simultaneous revocations of one pair, exactly one is told that it did it',
  async (t, context) => {
    const { stores, open } = context
    const { id: userId } = await insertUser(stores, 'ada')
    // A second connection pool, as another node has.
    const other = createStores(open())
    for (let round = 0; round < 20; round++) {
      const apiKey = `key${round}`
      await stores.keyPairs.insert(newPair(userId, apiKey))
      const outcomes = await Promise.all(
        [stores, other, stores, other].map(({ keyPairs }, i) =>
          keyPairs.revoke(userId, apiKey, { at: 2000 + i, by: i, reason: 'revoked' }),
        ),
      )
      t.is(outcomes.filter((outcome) => outcome).length, 1)
      const winner = outcomes.indexOf(true)
      const { revokedAt, revokedBy } = (await stores.keyPairs.find(userId, apiKey)) ?? {}
      t.deepEqual([revokedAt, revokedBy], [2000 + winner, winner])
    }
  },
)

onEachStore('revoke and revoke-all at once count every pair once', async (t, { stores, open }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const other = createStores(open())
  for (let round = 0; round < 5; round++) {
    const keys = Array.from({ length: 12 }, (_, i) => `r${round}k${i}`)
    for (const apiKey of keys) await stores.keyPairs.insert(newPair(userId, apiKey))
    const [all, again, ...single] = await Promise.all([
      stores.keyPairs.revokeAll(userId, { ...revocation, reason: 'revoked_all' }),
      other.keyPairs.revokeAll(userId, { ...revocation, reason: 'password_changed' }),
      ...keys.map((apiKey) => other.keyPairs.revoke(userId, apiKey, revocation)),
    ])
    t.is(all + again + single.filter((done) => done).length, keys.length)
    t.deepEqual(await stores.keyPairs.listByUser(userId), [])
  }
})

onEachStore('a dead pair stays dead, and remembers who killed it first', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const { id } = await stores.keyPairs.insert(newPair(userId, 'key'))
  t.true(await stores.keyPairs.revoke(userId, 'key', { at: 2000, by: null, reason: 'revoked' }))
  const dead = await stores.keyPairs.find(userId, 'key')
  t.like(dead, { revokedAt: 2000, revokedBy: null, revokedReason: 'revoked' })

  t.false(await stores.keyPairs.revoke(userId, 'key', { at: 3000, by: 9, reason: 'revoked' }))
  t.is(await stores.keyPairs.revokeAll(userId, { at: 3000, by: 9, reason: 'revoked_all' }), 0)
  t.false(await stores.keyPairs.rename(userId, 'key', 'Zombie'))
  t.deepEqual(await stores.keyPairs.find(userId, 'key'), dead)
  await stores.keyPairs.recordUses([{ keyPairId: id, at: 4000, ip: '::1' }])
  t.deepEqual(await stores.keyPairs.find(userId, 'key'), {
    ...dead,
    lastUsedAt: 4000,
    lastIp: '::1',
  } as typeof dead)
})

onEachStore("nobody revokes or renames another's pair", async (t, { stores }) => {
  const { id: adaId } = await insertUser(stores, 'ada')
  const { id: bobId } = await insertUser(stores, 'bob')
  await stores.keyPairs.insert(newPair(adaId, 'key'))
  t.false(await stores.keyPairs.revoke(bobId, 'key', revocation))
  t.false(await stores.keyPairs.rename(bobId, 'key', 'Mine'))
  t.is(await stores.keyPairs.revokeAll(bobId, revocation), 0)
  t.like(await stores.keyPairs.find(adaId, 'key'), { name: 'key', revokedAt: null })
})

onEachStore(
  'recording use touches nothing but the two columns, of the pairs named',
  async (t, context) => {
    const { stores, db } = context
    const { id: userId } = await insertUser(stores, 'ada')
    const a = await stores.keyPairs.insert(newPair(userId, 'a'))
    const b = await stores.keyPairs.insert(newPair(userId, 'b'))
    await stores.keyPairs.insert(newPair(userId, 'c'))
    await stores.keyPairs.recordUses([])
    const before = await db('key_pairs').orderBy('id')
    await stores.keyPairs.recordUses([
      { keyPairId: a.id, at: 1111, ip: '203.0.113.7' },
      { keyPairId: b.id, at: 2222, ip: null },
      { keyPairId: 999_999, at: 3333, ip: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff' },
    ])
    const after = await db('key_pairs').orderBy('id')
    t.deepEqual(after, [
      { ...before[0], last_used_at: 1111, last_ip: '203.0.113.7' },
      { ...before[1], last_used_at: 2222, last_ip: null },
      before[2],
    ])
  },
)

onEachStore('recording use beside a revocation never undoes it', async (t, { stores, open }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const other = createStores(open())
  for (let round = 0; round < 10; round++) {
    const pairs = []
    for (let i = 0; i < 8; i++) {
      pairs.push(await stores.keyPairs.insert(newPair(userId, `r${round}k${i}`)))
    }
    const uses = pairs.map(({ id }) => ({ keyPairId: id, at: 5000 + round, ip: '127.0.0.1' }))
    const revoked = await Promise.all([
      ...pairs.map(({ apiKey }) => stores.keyPairs.revoke(userId, apiKey, revocation)),
      other.keyPairs.recordUses(uses).then(() => true),
      other.keyPairs.recordUses([...uses].reverse()).then(() => true),
    ])
    t.true(revoked.every((done) => done))
  }
  t.deepEqual(await stores.keyPairs.listByUser(userId), [])
})

onEachStore(
  'revoked pairs are purged once they are old enough, living ones never',
  async (t, { stores }) => {
    const { id: userId } = await insertUser(stores, 'ada')
    for (const apiKey of ['living', 'old', 'edge', 'young']) {
      await stores.keyPairs.insert(newPair(userId, apiKey, { createdAt: 1 }))
    }
    await stores.keyPairs.revoke(userId, 'old', { ...revocation, at: 99 })
    await stores.keyPairs.revoke(userId, 'edge', { ...revocation, at: 100 })
    await stores.keyPairs.revoke(userId, 'young', { ...revocation, at: 101 })
    t.is(await stores.keyPairs.purgeRevoked(100), 1)
    const left = await stores.keyPairs.listByUser(userId, { includeRevoked: true })
    t.deepEqual(
      left.map((pair) => pair.apiKey),
      ['young', 'edge', 'living'],
    )
  },
)

onEachStore(
  'five hundred keys are read, and five hundred uses written, at once',
  async (t, { stores }) => {
    const { id: userId } = await insertUser(stores, 'ada')
    const keys = Array.from({ length: 500 }, (_, i) => `key${i}`)
    const ids = await stores.transaction(async (tx) => {
      const inserted: number[] = []
      for (const apiKey of keys)
        inserted.push((await tx.keyPairs.insert(newPair(userId, apiKey))).id)
      return inserted
    })
    t.is((await stores.keyStates.read(keys)).length, 500)
    await stores.keyPairs.recordUses(
      ids.map((keyPairId, i) => ({ keyPairId, at: i, ip: `::${i}` })),
    )
    const pairs = await stores.keyPairs.listByUser(userId)
    t.true(
      pairs.every(({ id, lastUsedAt, lastIp }) => {
        const i = ids.indexOf(id)
        return lastUsedAt === i && lastIp === `::${i}`
      }),
    )
  },
)

onEachStore('a pair is found by its owner and one of its secrets', async (t, { stores }) => {
  const ada = await insertUser(stores, 'ada')
  await insertUser(stores, 'bob')
  await stores.keyPairs.insert(newPair(ada.id, '1abc'))
  await stores.keyPairs.insert(newPair(ada.id, '1def'))
  const find = (login: string, hash: string, now = 1000) =>
    stores.keyPairs.findApiKeyBySecret(login, hash, now)
  for (const login of ['ada', 'ADA', 'ada@sample.org', 'Ada@Sample.Org']) {
    t.is(await find(login, 'hash-of-1abc'), '1abc', login)
  }
  t.is(await find('ada', 'hash-of-1def'), '1def')
  for (const login of ['bob', 'nobody', '', 'ada ', 'adá', 'ada%', '📱']) {
    t.is(await find(login, 'hash-of-1abc'), undefined, login)
  }
  t.is(await find('ada', 'HASH-OF-1ABC'), undefined)

  const secret = { scheme: 'sha256', hash: 'next' } as const
  await stores.keyPairs.rotate(ada.id, '1abc', {
    fromVersion: 0,
    secret,
    at: 1000,
    overlapEndsAt: 1600,
  })
  t.is(await find('ada', 'next'), '1abc')
  t.is(await find('ada', 'hash-of-1abc', 1599), '1abc')
  t.is(await find('ada', 'hash-of-1abc', 1600), undefined)
  t.is(await find('bob', 'hash-of-1abc', 1599), undefined)

  // Who has the right secret of a revoked pair is to be told that, unless a living one has it too.
  await stores.keyPairs.revoke(ada.id, '1def', revocation)
  t.is(await find('ada', 'hash-of-1def'), '1def')
  await stores.keyPairs.insert(
    newPair(ada.id, '1ghi', { secret: { scheme: 'sha256', hash: 'hash-of-1def' } }),
  )
  t.is(await find('ada', 'hash-of-1def'), '1ghi')
})
