import { maxDevices } from '../../src/domain/device.js'
import { type ChainStart, createDeviceStore } from '../../src/store/devices.js'
import type { Stores } from '../../src/store/index.js'
import { insertUser, onEachStore } from '../helpers/with-stores.js'

const chainOf = (text: string) => text.padEnd(22, '0')

async function insertPair(stores: Stores, login: string): Promise<number> {
  const { id: userId } = await insertUser(stores, login)
  const secret = { scheme: 'sha256' as const, hash: 'hash' }
  const { id } = await stores.keyPairs.insert({
    userId,
    name: 'Test',
    apiKey: `${login}Key`,
    secret,
    createdAt: 1000,
  })
  return id
}

const start = (keyPairId: number, name: string, fields: Partial<ChainStart> = {}): ChainStart => ({
  keyPairId,
  name,
  chain: chainOf(name),
  secretVersion: 0,
  at: 1000,
  refreshExpiresAt: 5000,
  expiresAt: 6000,
  ip: '203.0.113.7',
  userAgent: 'curl/8',
  ...fields,
})

const rotation = {
  fromGeneration: 0,
  at: 1500,
  refreshExpiresAt: 5500,
  expiresAt: 6500,
  ip: '203.0.113.8',
  userAgent: 'curl/9',
}
const signedOut = { at: 2000, by: 1, reason: 'signed_out' as const }

onEachStore('a device is read back as it was written', async (t, { stores }) => {
  const keyPairId = await insertPair(stores, 'ada')
  t.is(await stores.devices.start(start(keyPairId, 'phone', { secretVersion: 3 })), 'started')
  const [device] = await stores.devices.listByKeyPairs([keyPairId])
  t.like(device, {
    keyPairId,
    name: 'phone',
    chain: chainOf('phone'),
    generation: 0,
    issuedAt: 1000,
    issuedIp: '203.0.113.7',
    refreshExpiresAt: 5000,
    expiresAt: 6000,
    createdAt: 1000,
    startedAt: 1000,
    secretVersion: 3,
    lastUsedAt: 1000,
    lastIp: '203.0.113.7',
    userAgent: 'curl/8',
    endedAt: null,
    endedReason: null,
    incident: null,
  })
  t.like(await stores.devices.find(chainOf('phone')), { id: device?.id, apiKey: 'adaKey' })
  t.is(await stores.devices.find('ké'), undefined)
  t.is(await stores.devices.start(start(keyPairId + 1, 'phone', { chain: 'x' })), 'gone')
})

onEachStore('names are compared byte for byte, and text is kept', async (t, { stores }) => {
  const keyPairId = await insertPair(stores, 'ada')
  const names = [
    'phone',
    'Phone',
    'phone ',
    ' phone',
    'phóne',
    '📱',
    '📱'.repeat(255),
    'a\nb',
    "'--",
  ]
  for (const [i, name] of names.entries()) {
    t.is(await stores.devices.start(start(keyPairId, name, { chain: `c${i}`, at: i })), 'started')
  }
  const devices = await stores.devices.listByKeyPairs([keyPairId])
  t.deepEqual(
    devices.map(({ name }) => name),
    names.toReversed(),
  )
})

onEachStore('a device that starts over leaves nothing of its chain', async (t, { stores }) => {
  const keyPairId = await insertPair(stores, 'ada')
  await stores.devices.start(start(keyPairId, 'phone', { chain: 'first' }))
  await stores.devices.rotate('first', rotation)
  const incident = { at: 1700, ip: '203.0.113.9', issuedIp: '203.0.113.8' }
  t.true(await stores.devices.end('first', { at: 1700, by: null, reason: 'reused', incident }))
  await stores.devices.start(start(keyPairId, 'phone', { chain: 'second', at: 1800 }))
  t.is(await stores.devices.find('first'), undefined)
  t.like(await stores.devices.find('second'), {
    generation: 0,
    createdAt: 1000,
    startedAt: 1800,
    endedAt: null,
    endedReason: null,
    // The owner may not have seen it yet.
    incident,
  })
  t.false(await stores.devices.rotate('first', { ...rotation, fromGeneration: 1 }))
  t.false(await stores.devices.end('first', signedOut))
})

onEachStore('of many rotations from one place exactly one wins', async (t, context) => {
  const { stores, open } = context
  const keyPairId = await insertPair(stores, 'ada')
  await stores.devices.start(start(keyPairId, 'phone'))
  const others = [stores.devices, createDeviceStore(open()), createDeviceStore(open())]
  for (let fromGeneration = 0; fromGeneration < 10; fromGeneration++) {
    const won = await Promise.all(
      [...others, ...others].map((devices) =>
        devices.rotate(chainOf('phone'), { ...rotation, fromGeneration }),
      ),
    )
    t.is(won.filter(Boolean).length, 1)
  }
  t.like(await stores.devices.find(chainOf('phone')), { generation: 10, issuedAt: 1500 })
})

onEachStore('a chain ends once, and is then neither rotated nor used', async (t, { stores }) => {
  const keyPairId = await insertPair(stores, 'ada')
  const other = await insertPair(stores, 'bob')
  await stores.devices.start(start(keyPairId, 'phone'))
  const id = (await stores.devices.find(chainOf('phone')))?.id ?? 0
  t.false(await stores.devices.endDevice(other, id, signedOut), 'another pair’s')
  const ends = await Promise.all([
    stores.devices.end(chainOf('phone'), signedOut),
    stores.devices.endDevice(keyPairId, id, signedOut),
    stores.devices.end(chainOf('phone'), signedOut),
  ])
  t.is(ends.filter(Boolean).length, 1)
  t.false(await stores.devices.rotate(chainOf('phone'), rotation))
  await stores.devices.recordUses([{ chain: chainOf('phone'), at: 3000, ip: '::1' }])
  t.like(await stores.devices.find(chainOf('phone')), {
    endedAt: 2000,
    endedBy: 1,
    endedReason: 'signed_out',
    lastUsedAt: 3000,
    lastIp: '::1',
  })
})

onEachStore(
  'the number of devices is bounded; those that are over make room',
  async (t, { db, stores }) => {
    const keyPairId = await insertPair(stores, 'ada')
    const bob = await insertPair(stores, 'bob')
    await stores.devices.start(start(keyPairId, 'phone'))
    const [{ id: _, ...row }] = (await db('devices')) as [Record<string, unknown>]
    const rows = Array.from({ length: maxDevices - 1 }, (_, i) => {
      const mark = `d${i}`
      return { ...row, name: mark, name_hash: mark, chain: mark }
    })
    await db.batchInsert('devices', rows, 30)
    t.is(await stores.devices.start(start(keyPairId, 'one more')), 'full')
    t.is(await stores.devices.start(start(keyPairId, 'phone', { chain: 'again' })), 'started')
    t.is(await stores.devices.start(start(bob, 'one more')), 'started')

    await stores.devices.end('d1', signedOut)
    t.is(await stores.devices.start(start(keyPairId, 'a', { at: 2000 })), 'started')
    t.is(await stores.devices.start(start(keyPairId, 'b', { at: 2000 })), 'full')
    const incident = { at: 2000, ip: null, issuedIp: null }
    await stores.devices.end('d2', { at: 2000, by: null, reason: 'reused', incident })
    t.is(await stores.devices.start(start(keyPairId, 'b', { at: 2000 })), 'full', 'incidents stay')
    await db('devices').where({ chain: 'd3' }).update({ expires_at: 2000 })
    t.is(await stores.devices.start(start(keyPairId, 'b', { at: 2000 })), 'started')
  },
)

onEachStore('many first uses of a name at once make one device', async (t, { stores, open }) => {
  const keyPairId = await insertPair(stores, 'ada')
  const all = [stores.devices, createDeviceStore(open()), createDeviceStore(open())]
  for (let round = 0; round < 5; round++) {
    const outcomes = await Promise.all(
      [...all, ...all].map((devices, i) =>
        devices.start(start(keyPairId, `r${round}`, { chain: `${round}-${i}` })),
      ),
    )
    t.deepEqual(new Set(outcomes), new Set(['started']))
    t.is((await stores.devices.listByKeyPairs([keyPairId])).length, round + 1)
  }
})

onEachStore(
  'what is over is deleted, but not before its incident is old',
  async (t, { stores }) => {
    const keyPairId = await insertPair(stores, 'ada')
    await stores.devices.start(start(keyPairId, 'over'))
    await stores.devices.start(start(keyPairId, 'lives', { expiresAt: 6001 }))
    await stores.devices.start(start(keyPairId, 'reused'))
    const incident = { at: 4000, ip: null, issuedIp: null }
    await stores.devices.end(chainOf('reused'), { at: 4000, by: null, reason: 'reused', incident })
    const left = async () =>
      (await stores.devices.listByKeyPairs([keyPairId])).map(({ name }) => name).sort()
    t.is(await stores.devices.purge(5999, 5999), 0)
    t.is(await stores.devices.purge(6000, 3999), 1)
    t.deepEqual(await left(), ['lives', 'reused'])
    t.is(await stores.devices.purge(6000, 4000), 1)
    t.deepEqual(await left(), ['lives'])
  },
)

onEachStore('one read has keys, devices and registered tokens', async (t, { db, stores }) => {
  const keyPairId = await insertPair(stores, 'ada')
  const other = await insertPair(stores, 'bob')
  await stores.devices.start(start(keyPairId, 'phone'))
  await stores.devices.start(start(other, 'desk'))
  await stores.devices.end(chainOf('desk'), signedOut)
  const times = { issued_at: 1000, expires_at: 6000 }
  await db('registered_tokens').insert([
    { token_id: 'jti-1', key_pair_id: keyPairId, ...times },
    { token_id: 'jti-2', key_pair_id: other, ...times, revoked_at: 3000, revoked_by: 1 },
  ])
  const plain = await stores.keyStates.read(['adaKey', 'bobKey'])
  const chains = [chainOf('phone'), chainOf('desk'), 'unknown']
  // In a transaction SQLite is read by way of another connection.
  const asked = [stores.keyStates.readWithMarks, 'in a transaction'] as const
  for (const way of asked) {
    const ask: Stores['keyStates']['readWithMarks'] = (...question) =>
      typeof way === 'string'
        ? stores.transaction((tx) => tx.keyStates.readWithMarks(...question))
        : way(...question)
    const answer = await ask(['bobKey', 'nobody', 'adaKey'], {
      chains,
      tokenIds: ['jti-2', 'jti-1', 'jti-3'],
    })
    const byId = <T extends { keyPairId: number }>(rows: T[]) =>
      rows.toSorted((a, b) => a.keyPairId - b.keyPairId)
    t.deepEqual(byId(answer.states), byId(plain))
    const [phone, desk] = byId(answer.devices)
    t.is(answer.devices.length, 2)
    t.deepEqual(phone, {
      deviceId: phone?.deviceId ?? 0,
      keyPairId,
      chain: chainOf('phone'),
      name: 'phone',
      generation: 0,
      secretVersion: 0,
      issuedAt: 1000,
      refreshExpiresAt: 5000,
      endedAt: null,
    })
    t.like(desk, { keyPairId: other, name: 'desk', endedAt: 2000 })
    t.deepEqual(byId(answer.registrations), [
      { tokenId: 'jti-1', keyPairId, revokedAt: null },
      { tokenId: 'jti-2', keyPairId: other, revokedAt: 3000 },
    ])
    t.deepEqual(await ask(['adaKey'], { chains: [], tokenIds: [] }), {
      states: plain.filter(({ apiKey }) => apiKey === 'adaKey'),
      devices: [],
      registrations: [],
    })
  }
})
