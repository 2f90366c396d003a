import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import { operator } from '../../src/domain/actor.js'
import { ServiceError } from '../../src/errors.js'
import type { Runtime } from '../../src/runtime.js'
import { Checker } from './checker.js'
import { onCluster } from './with-cluster.js'

const origin = { ip: '203.0.113.7' }

async function verdict({ services }: Runtime, token: string): Promise<string> {
  try {
    await services.tokens.validate(token, origin)
    return 'accepted'
  } catch (error) {
    return error instanceof ServiceError ? error.code : String(error)
  }
}

async function newToken({ services }: Runtime, userId: number) {
  const { keyPair, apiSecret } = await services.keyPairs.mint(operator, userId, 'Test')
  const { accessToken } = await services.tokens.exchange(keyPair.apiKey, apiSecret, origin)
  return { apiKey: keyPair.apiKey, token: accessToken }
}

onCluster('a revocation answered by one node holds at the others', async (t, cluster) => {
  const nodes = await Promise.all([0, 1, 2].map((first) => cluster.runtime(first)))
  const seen: string[] = []
  for (let round = 0; round < 60; round++) {
    const here = nodes[round % 3] as Runtime
    const there = [nodes[(round + 1) % 3], nodes[(round + 2) % 3]] as [Runtime, Runtime]
    const { apiKey, token } = await newToken(here, cluster.user.id)
    for (const node of there) t.is(await verdict(node, token), 'accepted')
    t.true(await here.services.keyPairs.revoke(operator, cluster.user.id, apiKey))
    seen.push(...(await Promise.all(there.map((node) => verdict(node, token)))))
  }
  t.deepEqual([...new Set(seen)], ['rest_authentication_revoked_api_key'])
})

// While a node may not apply what the others have done, it must answer nothing at all.
for (const isStrict of [true, false]) {
  onCluster(
    isStrict
      ? 'a node that is behind accepts nothing'
      : 'without strict reads it does: this test can tell',
    async (t, cluster) => {
      const alone = { DATABASE_URL: cluster.urlOf(1) }
      const [here, there] = await Promise.all([cluster.runtime(0), cluster.runtime(1, alone)])
      const { apiKey, token } = await newToken(here, cluster.user.id)
      if (!isStrict) await loosen(there)
      t.is(await verdict(there, token), 'accepted')
      const lock = await mysql.createConnection(cluster.galera.nodes[1].url)
      try {
        await lock.query('flush tables with read lock')
        t.true(await here.services.keyPairs.revoke(operator, cluster.user.id, apiKey))
        const seen = new Set<string>()
        for (let i = 0; i < 3; i++) seen.add(await verdict(there, token))
        t.deepEqual([...seen], [isStrict ? 'rest_service_unavailable' : 'accepted'])
      } finally {
        lock.destroy()
      }
      await until(
        async () => (await verdict(there, token)) === 'rest_authentication_revoked_api_key',
      )
    },
  )
}

// So that the faults test is known to be able to find something.
onCluster(
  'the checker of the faults test sees a node whose reads are not strict',
  async (t, cluster) => {
    const alone = { DATABASE_URL: cluster.urlOf(1) }
    const [here, there] = await Promise.all([cluster.runtime(0), cluster.runtime(1, alone)])
    const [changed, checked] = await Promise.all([listen(here), listen(there)])
    const checker = new Checker(changed.url, cluster.user.id, checked.url)
    const lock = await mysql.createConnection(cluster.galera.nodes[1].url)
    try {
      await loosen(there)
      await checker.logIn()
      for (let i = 0; i < 5; i++) await checker.mint()
      const checking = checker.check()
      while (checker.requests < 20) await delay(10)
      t.deepEqual(checker.violations, [])
      await lock.query('flush tables with read lock')
      await checker.revokeOldest()
      await until(async () => checker.violations.length > 0)
      checker.isOver = true
      await checking
      t.regex(checker.violations.join(), /was accepted after it was revoked/)
    } finally {
      checker.isOver = true
      lock.destroy()
      await Promise.all([changed.close(), checked.close()])
    }
  },
)

async function listen({ listener }: Runtime) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Turns strict reads off on the connections of a node's pool. */
async function loosen({ db, stores }: Runtime): Promise<void> {
  const pool = db.client.pool
  // It keeps one of them.
  stores.keyStates.close()
  await pool.destroy()
  db.client.config.pool = {
    min: 0,
    max: 4,
    afterCreate(
      connection: { query(sql: string, done: (e: unknown) => void): void },
      done: (e: unknown) => void,
    ) {
      connection.query('set session wsrep_sync_wait = 0', done)
    },
  }
  db.client.pool = undefined
  db.client.initializePool(db.client.config)
}

onCluster('a node without the majority is left, and gone back to', async (t, cluster) => {
  const { galera, user } = cluster
  const [, second] = galera.nodes
  const node = await cluster.runtime(1)
  const { token } = await newToken(node, user.id)
  await second.query("set global wsrep_provider_options = 'gmcast.isolate=1'")
  const seen = new Set<string>()
  const port = () => node.db.client.connectionSettings.port
  try {
    await until(async () => {
      seen.add(await verdict(node, token))
      return port() !== second.port
    })
    await until(async () => (await verdict(node, token)) === 'accepted')
  } finally {
    await second.query("set global wsrep_provider_options = 'gmcast.isolate=0'")
  }
  seen.delete('accepted')
  seen.delete('rest_service_unavailable')
  t.deepEqual([...seen], [])
  await second.untilSynced()
  await until(async () => {
    await verdict(node, token)
    return port() === second.port
  })
  t.is(await verdict(node, token), 'accepted')
})

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('It did not come to that')
    await delay(50)
  }
}
