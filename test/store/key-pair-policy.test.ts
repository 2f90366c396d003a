import { openPolicy } from '../../src/domain/key-pair-policy.js'
import { createStores } from '../../src/store/index.js'
import { insertUser, onEachStore } from '../helpers/with-stores.js'

const secretOf = (text: string) => ({ scheme: 'sha256', hash: `hash-of-${text}` }) as const
const newPair = (userId: number, apiKey: string) => ({
  userId,
  name: apiKey,
  apiKey,
  secret: secretOf('first'),
  createdAt: 1000,
})

onEachStore('a policy is read back as it was written, by both reads', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const policy = {
    expiresAt: 4_102_444_800,
    scopes: ['read', 'orders:write'],
    networks: ['203.0.113.0/24', '2001:db8::/32'],
    requireDevice: true,
    description: '👩‍👩‍👧‍👦 '.repeat(120).trim(),
  }
  const written = await stores.keyPairs.insert({ ...newPair(userId, 'key'), policy })
  t.like(written, policy)
  t.deepEqual(await stores.keyPairs.find(userId, 'key'), written)
  const [state] = await stores.keyStates.read(['key'])
  const { description, ...deciding } = policy
  t.deepEqual(state?.policy, deciding)

  t.true(await stores.keyPairs.update(userId, 'key', { scopes: null, description: '' }))
  t.like(await stores.keyPairs.find(userId, 'key'), { ...deciding, scopes: null, description: '' })
  t.true(await stores.keyPairs.update(userId, 'key', { expiresAt: null, networks: null }))
  t.deepEqual((await stores.keyStates.read(['key']))[0]?.policy, {
    expiresAt: null,
    scopes: null,
    networks: null,
    requireDevice: true,
  })
  t.true(await stores.keyPairs.update(userId, 'key', { requireDevice: false }))
  t.false((await stores.keyStates.read(['key']))[0]?.policy.requireDevice)
  t.is((await stores.keyPairs.find(userId, 'key'))?.name, 'key', 'what is absent stays')
})

onEachStore('a change that changes nothing tells whether the pair lives', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  await stores.keyPairs.insert(newPair(userId, 'key'))
  t.true(await stores.keyPairs.update(userId, 'key', {}))
  t.false(await stores.keyPairs.update(userId, 'other', {}))
  t.false(await stores.keyPairs.update(userId, 'ké', { description: 'x' }))
  await stores.keyPairs.revoke(userId, 'key', { at: 2000, by: null, reason: 'revoked' })
  t.false(await stores.keyPairs.update(userId, 'key', {}))
  t.false(await stores.keyPairs.update(userId, 'key', { description: 'x', expiresAt: null }))
})

onEachStore('a rotation keeps the secret before it for as long as asked', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const { id } = await stores.keyPairs.insert(newPair(userId, 'key'))
  await stores.keyPairs.recordSecretUses([{ keyPairId: id, secretVersion: 0, at: 1500 }])
  const rotation = { fromVersion: 0, secret: secretOf('second'), at: 2000, overlapEndsAt: 3000 }
  t.true(await stores.keyPairs.rotate(userId, 'key', rotation))
  const [state] = await stores.keyStates.read(['key'])
  t.deepEqual(state?.secret, secretOf('second'))
  t.deepEqual(state?.previousSecret, { ...secretOf('first'), expiresAt: 3000 })
  t.is(state?.secretVersion, 1)
  t.like(await stores.keyPairs.find(userId, 'key'), {
    secretVersion: 1,
    secretUsedAt: null,
    previousSecret: { expiresAt: 3000, usedAt: 1500 },
  })

  t.true(
    await stores.keyPairs.rotate(userId, 'key', {
      fromVersion: 1,
      secret: secretOf('third'),
      at: 2100,
      overlapEndsAt: null,
    }),
  )
  const [after] = await stores.keyStates.read(['key'])
  t.deepEqual([after?.secret, after?.previousSecret], [secretOf('third'), null])
})

onEachStore(
  'uses go to the secret that was used, whenever they are written',
  async (t, { stores }) => {
    const { id: userId } = await insertUser(stores, 'ada')
    const { id } = await stores.keyPairs.insert(newPair(userId, 'key'))
    const { id: other } = await stores.keyPairs.insert(newPair(userId, 'other'))
    const rotate = (fromVersion: number) =>
      stores.keyPairs.rotate(userId, 'key', {
        fromVersion,
        secret: secretOf(`of ${fromVersion + 1}`),
        at: 2000,
        overlapEndsAt: 9000,
      })
    await rotate(0)
    await stores.keyPairs.recordSecretUses([
      { keyPairId: id, secretVersion: 0, at: 2001 },
      { keyPairId: id, secretVersion: 1, at: 2002 },
      { keyPairId: other, secretVersion: 0, at: 2003 },
    ])
    t.like(await stores.keyPairs.find(userId, 'key'), {
      secretUsedAt: 2002,
      previousSecret: { expiresAt: 9000, usedAt: 2001 },
    })
    t.like(await stores.keyPairs.find(userId, 'other'), {
      secretUsedAt: 2003,
      previousSecret: null,
    })

    await rotate(1)
    await stores.keyPairs.recordSecretUses([{ keyPairId: id, secretVersion: 0, at: 2004 }])
    t.like(await stores.keyPairs.find(userId, 'key'), {
      secretUsedAt: null,
      previousSecret: { expiresAt: 9000, usedAt: 2002 },
    })
  },
)

onEachStore('of many rotations at once one wins, and two secrets remain', async (t, context) => {
  const { stores, open } = context
  const { id: userId } = await insertUser(stores, 'ada')
  const other = createStores(open())
  try {
    for (let round = 0; round < 10; round++) {
      const apiKey = `key${round}`
      await stores.keyPairs.insert(newPair(userId, apiKey))
      const won = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          (i % 2 ? stores : other).keyPairs.rotate(userId, apiKey, {
            fromVersion: 0,
            secret: secretOf(`rotation ${i}`),
            at: 2000,
            overlapEndsAt: i % 3 ? 3000 : null,
          }),
        ),
      )
      t.is(won.filter(Boolean).length, 1)
      const [state] = await stores.keyStates.read([apiKey])
      t.is(state?.secretVersion, 1)
      t.deepEqual(state?.secret, secretOf(`rotation ${won.indexOf(true)}`))
    }
  } finally {
    other.keyStates.close()
  }
})

onEachStore('neither the revoked nor the expired are rotated', async (t, { stores }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const policy = { ...openPolicy, expiresAt: 2000 }
  await stores.keyPairs.insert({ ...newPair(userId, 'expired'), policy })
  await stores.keyPairs.insert(newPair(userId, 'revoked'))
  await stores.keyPairs.revoke(userId, 'revoked', { at: 1500, by: null, reason: 'revoked' })
  const rotation = { fromVersion: 0, secret: secretOf('second'), at: 2000, overlapEndsAt: null }
  for (const apiKey of ['expired', 'revoked', 'unknown', 'ké']) {
    t.false(await stores.keyPairs.rotate(userId, apiKey, rotation), apiKey)
  }
  t.true(await stores.keyPairs.rotate(userId, 'expired', { ...rotation, at: 1999 }))
})
