import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import { operator } from '../../src/domain/actor.js'
import { confirmationText } from '../../src/domain/node.js'
import { createNodeService, type NodeService } from '../../src/services/nodes.js'
import type { ServicesDeps } from '../../src/services/index.js'
import test from 'ava'
import { onEachDatabase, type Service } from '../helpers/with-service.js'

type Reader = Parameters<typeof createNodeService>[0]['keyStates']

/** A node on the service's database, as another process would be. */
function newNode(
  service: Service,
  keyStates?: Reader,
  logger?: ServicesDeps['logger'],
): NodeService {
  const { stores } = service.runtime
  return createNodeService({
    store: stores.nodes,
    keyStates: keyStates ?? stores.keyStates,
    isShared: true,
    logger: logger ?? pino({ level: 'silent' }),
    pollMs: 20,
    beatMs: 100,
    answerMs: 60_000,
  })
}

async function until<T>(read: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const value = await read()
    if (value) return value
    if (Date.now() > deadline) throw new Error('It did not come to that')
    await delay(20)
  }
}

onEachDatabase(
  'nodes register themselves, give signs of life, and sign off',
  async (t, service) => {
    const one = newNode(service)
    const two = newNode(service)
    t.deepEqual(await one.list(), [])
    one.join({ name: 'one:8080', version: '1.0.0' })
    two.join({ name: 'two:8080', version: '1.1.0' })
    try {
      const nodes = await until(async () => {
        const found = await one.list()
        return found.length === 2 && found
      })
      const known = nodes.map(({ name, version }) => `${name} ${version}`).sort()
      t.deepEqual(known, ['one:8080 1.0.0', 'two:8080 1.1.0'])
      for (const { id, startedAt, readMicros } of nodes) {
        t.regex(id, /^[\w-]{16}$/)
        t.true(Math.abs(startedAt - Date.now() / 1000) < 600)
        t.true(readMicros > 0)
      }
      // Another sign of life, later than the first.
      const seen = async (name: string) => {
        const rows = await service.runtime.db('nodes').where({ name })
        return Number(rows[0]?.seen_at)
      }
      const before = await seen('one:8080')
      await until(async () => (await seen('one:8080')) > before)
    } finally {
      await one.close()
      await two.close()
    }
    t.deepEqual(await service.runtime.stores.nodes.list(600_000), [])
  },
)

onEachDatabase('every node is asked whether it refuses a key', async (t, service) => {
  const ada = await service.createUser('ada')
  const { api_key: apiKey } = await service.mint(ada.id)
  const { keyStates } = service.runtime.stores
  const { keyPairs } = service.runtime.services
  const one = newNode(service)
  // It takes its time, and that is what is told.
  const slow = newNode(service, {
    read: async (key) => {
      await delay(150)
      return keyStates.read(key)
    },
  })
  one.join({ name: 'one', version: '1' })
  slow.join({ name: 'slow', version: '1' })
  try {
    await until(async () => (await one.list()).length === 2)
    const alive = await one.confirmRefusal(apiKey)
    t.deepEqual([alive.nodes, alive.refusing, alive.accepting], [2, 0, 2])
    t.true(await keyPairs.revoke(operator, ada.id, apiKey))
    const { slowestMicros, ...rest } = await one.confirmRefusal(apiKey)
    t.deepEqual(rest, { nodes: 2, refusing: 2, accepting: 0, silent: [] })
    t.true(slowestMicros >= 149_000, String(slowestMicros))
    // Nothing is left of the question.
    t.deepEqual(await service.runtime.db('node_checks'), [])
  } finally {
    await one.close()
    await slow.close()
  }
})

onEachDatabase(
  'a node that does not answer is told of, and forgotten in time',
  async (t, service) => {
    const { db, stores } = service.runtime
    const ada = await service.createUser('ada')
    const { api_key: apiKey } = await service.mint(ada.id)
    await service.runtime.services.keyPairs.revoke(operator, ada.id, apiKey)
    const one = newNode(service)
    one.join({ name: 'one', version: '1' })
    try {
      await until(async () => (await one.list()).length === 1)
      await stores.nodes.beat({ id: 'gone', name: 'db3-node', version: '1', readMicros: 400 })
      const sleep = (ms: number) => db('nodes').where({ id: 'gone' }).decrement('seen_at', ms)
      await sleep(20_000)
      const { silent, nodes, refusing } = await one.confirmRefusal(apiKey)
      t.deepEqual([nodes, refusing, silent.length, silent[0]?.name], [2, 1, 1, 'db3-node'])
      t.true((silent[0]?.silentMs ?? 0) >= 20_000)
      await sleep(600_000)
      t.deepEqual(
        (await one.list()).map(({ name }) => name),
        ['one'],
      )
      t.is((await one.confirmRefusal(apiKey)).nodes, 1)
      const rows = (): Promise<string[]> => db('nodes').pluck('name')
      t.deepEqual((await rows()).sort(), ['db3-node', 'one'])
      await stores.nodes.purge(60_000)
      t.deepEqual(await rows(), ['one'])
    } finally {
      await one.close()
    }
  },
)

onEachDatabase('a node that was forgotten registers itself again', async (t, service) => {
  const one = newNode(service)
  one.join({ name: 'one', version: '1' })
  try {
    await until(async () => (await one.list()).length === 1)
    await service.runtime.db('nodes').delete()
    await until(async () => (await one.list()).length === 1)
    t.pass()
  } finally {
    await one.close()
  }
})

test('what the nodes say, in a sentence', (t) => {
  const all = { nodes: 3, refusing: 3, accepting: 0, slowestMicros: 12_400, silent: [] }
  const says = (change: object, mayName = true) => confirmationText({ ...all, ...change }, mayName)
  t.is(says({}), 'Refused by all 3 nodes after 12 ms.')
  t.is(says({ nodes: 1, refusing: 1, slowestMicros: 430 }), 'Refused after 0.4 ms.')
  const silent = [{ name: 'db3-node', silentMs: 5200 }]
  t.is(
    says({ refusing: 2, silent }),
    'Refused by 2 of 3 nodes after 12 ms; db3-node has not answered for 5 s.',
  )
  t.is(
    says({ refusing: 2, silent }, false),
    'Refused by 2 of 3 nodes after 12 ms; one node has not answered for 5 s.',
  )
  const two = [...silent, { name: 'db2-node', silentMs: 7000 }]
  t.is(
    says({ refusing: 1, silent: two }, false),
    'Refused by 1 of 3 nodes after 12 ms; 2 nodes have not answered for 7 s.',
  )
  t.is(
    says({ refusing: 2, accepting: 1 }),
    'Refused by 2 of 3 nodes after 12 ms; one node would still accept it.',
  )
})
