import { operator } from '../../src/domain/actor.js'
import { bearer, onEachDatabase } from '../helpers/with-service.js'

const everything = { includeRevoked: true, offset: 0, limit: 50 }

onEachDatabase(
  'exchanges and refreshes are counted a day, uses of tokens are not',
  async (t, service) => {
    const { services } = service.runtime
    const { id } = await service.createUser('ada')
    const pair = await service.mint(id, 'Used')
    await service.mint(id, 'Unused')
    const usage = async () => {
      await services.usage.flush()
      const { rows } = await services.keyPairs.page(operator, id, everything)
      return rows.map((row) => [row.keyPair.name, row.usage.length, ...row.usage.slice(-3)])
    }
    const { access_token, refresh_token } = await service.exchange(pair)
    await service.json('/wp/v2/token', { fields: { refresh_token } })
    await service.json('/wp/v2/token/validate', { headers: bearer(access_token) })
    t.deepEqual(await usage(), [
      ['Unused', 30, 0, 0, 0],
      ['Used', 30, 0, 0, 2],
    ])
    for (let i = 0; i < 5; i++) await service.exchange(pair)
    t.deepEqual((await usage())[1], ['Used', 30, 0, 0, 7])
    service.advance(86_400)
    await service.exchange(pair)
    t.deepEqual((await usage())[1], ['Used', 30, 0, 7, 1])
  },
)

onEachDatabase(
  'counts of many pairs at once add up, and old days are purged',
  async (t, service) => {
    const { keyPairUsage } = service.runtime.stores
    const today = Math.floor(service.now() / 86_400)
    const batch = Array.from({ length: 500 }, (_, i) => ({
      keyPairId: i + 1,
      day: today - (i % 40),
      exchanges: 2,
    }))
    await Promise.all([
      keyPairUsage.add(batch),
      keyPairUsage.add(batch.toReversed()),
      keyPairUsage.add(batch),
    ])
    const all = async () => keyPairUsage.list([1, 2, 36, 500], 0)
    t.deepEqual(
      (await all()).map((row) => row.exchanges),
      [6, 6, 6, 6],
    )
    await service.runtime.services.housekeeping.run()
    const kept = (await all()).map((row) => row.keyPairId).sort((a, b) => a - b)
    t.deepEqual(kept, [1, 2, 500])
  },
)
