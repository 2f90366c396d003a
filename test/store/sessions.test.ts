import { insertUser, onEachStore } from '../helpers/with-stores.js'

const session = (userId: number, id: string, fields = {}) => ({
  id,
  userId,
  createdAt: 1000,
  expiresAt: 2000,
  ip: '2001:db8::1',
  userAgent: 'Mozilla/5.0 🦊',
  secondFactorAt: null,
  ...fields,
})

onEachStore('a session is found with its user', async (t, { stores }) => {
  const user = await insertUser(stores, 'ada')
  const written = session(user.id, 'AbC')
  await stores.sessions.insert(written)
  t.deepEqual(await stores.sessions.find('AbC'), { session: written, user })
  t.is(await stores.sessions.find('aBC'), undefined)
  t.is(await stores.sessions.find(''), undefined)
})

onEachStore(
  'a session ends when it is deleted, and is found expired until it is purged',
  async (t, { stores }) => {
    const { id } = await insertUser(stores, 'ada')
    await stores.sessions.insert(session(id, 'a', { expiresAt: 1999 }))
    await stores.sessions.insert(session(id, 'b', { expiresAt: 2000 }))
    await stores.sessions.insert(session(id, 'c', { expiresAt: 2001, ip: null, userAgent: null }))
    t.is(await stores.sessions.purgeExpired(2000), 2)
    t.deepEqual(
      (await stores.sessions.listByUser(id)).map((found) => found.id),
      ['c'],
    )
    t.true(await stores.sessions.delete('c'))
    t.false(await stores.sessions.delete('c'))
    t.is(await stores.sessions.find('c'), undefined)
  },
)

onEachStore(
  "a user's sessions end together, but for one that may be spared",
  async (t, { stores }) => {
    const { id: adaId } = await insertUser(stores, 'ada')
    const { id: bobId } = await insertUser(stores, 'bob')
    for (const id of ['a', 'b', 'c']) await stores.sessions.insert(session(adaId, id))
    await stores.sessions.insert(session(bobId, 'd'))
    t.is(await stores.sessions.deleteByUser(adaId, 'b'), 2)
    t.deepEqual(
      (await stores.sessions.listByUser(adaId)).map((found) => found.id),
      ['b'],
    )
    t.is(await stores.sessions.deleteByUser(adaId), 1)
    t.not(await stores.sessions.find('d'), undefined)
  },
)

onEachStore('sessions are listed newest first', async (t, { stores }) => {
  const { id } = await insertUser(stores, 'ada')
  await stores.sessions.insert(session(id, 'middle', { createdAt: 20 }))
  await stores.sessions.insert(session(id, 'new', { createdAt: 30 }))
  await stores.sessions.insert(session(id, 'old', { createdAt: 10 }))
  t.deepEqual(
    (await stores.sessions.listByUser(id)).map((found) => found.id),
    ['new', 'middle', 'old'],
  )
})
