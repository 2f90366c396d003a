import { onEachStore } from '../helpers/with-stores.js'

onEachStore('a count starts with a window, and ends with it', async (t, { stores }) => {
  const { add, find } = stores.rateLimits
  t.is(await find('a', 1000), undefined)
  t.deepEqual(await add('a', 60, 1000), { consumed: 1, expiresAt: 1060 })
  t.deepEqual(await add('a', 60, 1030), { consumed: 2, expiresAt: 1060 })
  t.deepEqual(await find('a', 1059), { consumed: 2, expiresAt: 1060 })
  t.is(await find('a', 1060), undefined)
  t.is(await find('b', 1030), undefined)
  t.deepEqual(await add('a', 60, 1060), { consumed: 1, expiresAt: 1120 })
})

onEachStore(
  'what is taken back was never there, and no count is below zero',
  async (t, { stores }) => {
    const { add, find, takeBack } = stores.rateLimits
    t.is(await takeBack('a', 1000), undefined)
    await add('a', 60, 1000)
    await add('a', 60, 1000)
    t.deepEqual(await takeBack('a', 1010), { consumed: 1, expiresAt: 1060 })
    t.deepEqual(await takeBack('a', 1010), { consumed: 0, expiresAt: 1060 })
    t.deepEqual(await takeBack('a', 1010), { consumed: 0, expiresAt: 1060 })
    t.is(await takeBack('a', 1060), undefined)
    t.deepEqual(await find('a', 1059), { consumed: 0, expiresAt: 1060 })
  },
)

onEachStore('of many at once, none is lost', async (t, { stores, open, dialect }) => {
  const { createRateLimitStore } = await import('../../src/store/rate-limits.js')
  const others = dialect.name === 'SQLite' ? [] : [createRateLimitStore(open())]
  const nodes = [stores.rateLimits, ...others]
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => nodes[i % nodes.length]?.add('a', 60, 1000)),
  )
  t.deepEqual(await stores.rateLimits.find('a', 1000), { consumed: 60, expiresAt: 1060 })
})

onEachStore('counts that have ended are deleted', async (t, { db, stores }) => {
  await stores.rateLimits.add('old', 60, 1000)
  await stores.rateLimits.add('new', 60, 1001)
  t.is(await stores.rateLimits.purgeExpired(1060), 1)
  t.deepEqual(await db('rate_limits').pluck('id'), ['new'])
})
