import { clientOf, onEachDatabaseAlone } from '../helpers/with-nodes.js'
import type { Pair } from '../helpers/with-service.js'

const trials = 300
const isRefused = (answer: { status: number; body: { code?: string } }) =>
  answer.status === 403 && answer.body.code === 'rest_authentication_revoked_api_key'

onEachDatabaseAlone(
  'no request that starts after the answer to a revocation is accepted',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    const browser = await service.logIn('ada')
    const client = clientOf(service.url, browser.headers)
    const dead: { pair: Pair; token: string }[] = []
    const counts = { before: 0, after: 0 }
    /** What should not have been answered: when the request started, and the answer. */
    const wrong: string[] = []

    for (let trial = 0; trial < trials; trial++) {
      const a = await service.mint(id, 'A')
      const b = await service.mint(id, 'B')
      const token = (await client.exchange(a)).body.access_token
      dead.push({ pair: a, token })
      let isRevoked = false
      let isOver = false

      const hammer = async (send: () => Promise<{ status: number; body: any }>) => {
        while (!isOver) {
          const startedAfter = isRevoked
          const answer = await send()
          counts[startedAfter ? 'after' : 'before']++
          if (isRefused(answer) || (answer.status === 200 && !startedAfter)) continue
          wrong.push(`${startedAfter ? 'after' : 'before'}: ${answer.status} ${answer.body.code}`)
        }
      }
      const hammers = [
        hammer(() => client.exchange(a)),
        hammer(() => client.validate(token)),
        hammer(() => client.validate(token)),
      ]
      const flush = service.runtime.services.usage.flush()
      t.is((await client.revoke(id, b.api_key)).body, true)
      t.is((await client.revoke(id, a.api_key)).body, true)
      isRevoked = true
      t.true(isRefused(await client.exchange(b)))
      if (trial % 10 === 0) await client.revokeAll(id)
      isOver = true
      await Promise.all([...hammers, flush])
    }

    t.deepEqual(wrong, [])
    t.true(counts.before >= trials && counts.after >= trials, JSON.stringify(counts))

    // What was collected about their use is written now; it must not bring one of them back.
    await service.runtime.services.usage.flush()
    t.deepEqual(await service.runtime.stores.keyPairs.listByUser(id), [])
    for (let i = 0; i < dead.length; i += 20) {
      const answers = await Promise.all(
        dead
          .slice(i, i + 20)
          .flatMap(({ pair, token }) => [client.exchange(pair), client.validate(token)]),
      )
      t.true(answers.every(isRefused))
    }
  },
)

onEachDatabaseAlone(
  'of many that revoke one pair at once, one is told true',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    const browser = await service.logIn('ada')
    const client = clientOf(service.url, browser.headers)
    for (let round = 0; round < 10; round++) {
      const pair = await service.mint(id)
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => client.revoke(id, pair.api_key)),
      )
      t.deepEqual(answers.map(({ status, body }) => `${status} ${body}`).sort(), [
        ...Array.from({ length: 9 }, () => '200 false'),
        '200 true',
      ])
    }
  },
)

onEachDatabaseAlone(
  'revoke-all beside mints kills what was minted before it, and counts it',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    const browser = await service.logIn('ada')
    const client = clientOf(service.url, browser.headers)
    let minted = 0
    let revoked = 0
    for (let round = 0; round < 10; round++) {
      const before = await Promise.all([1, 2, 3].map((i) => client.mint(id, `Before ${i}`)))
      const [all] = await Promise.all([
        client.revokeAll(id),
        ...[1, 2, 3].map((i) => client.mint(id, `Beside ${i}`)),
      ])
      minted += 6
      revoked += all.body
      for (const pair of before) t.true(isRefused(await client.exchange(pair)))
    }
    const alive = await service.runtime.stores.keyPairs.listByUser(id)
    t.is(revoked + alive.length, minted)
  },
)
