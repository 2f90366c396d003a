import { setTimeout as delay } from 'node:timers/promises'
import { operator } from '../../src/domain/actor.js'
import { onCluster } from './with-cluster.js'

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('It did not come to that')
    await delay(50)
  }
}

onCluster('all nodes are asked after a revocation, each on its own server', async (t, cluster) => {
  await Promise.all([0, 1, 2].map((first) => cluster.start(first)))
  const { services } = await cluster.runtime(0)
  await until(async () => (await services.nodes.list()).length === 3)
  const { keyPair } = await services.keyPairs.mint(operator, cluster.user.id, 'Test')
  await services.keyPairs.revoke(operator, cluster.user.id, keyPair.apiKey)
  // A machine that is busy may keep a node from answering in time; it never accepts.
  await until(async () => {
    const { nodes, refusing, accepting } = await services.nodes.confirmRefusal(keyPair.apiKey)
    t.is(accepting, 0)
    return nodes === 4 && refusing === 4
  })
})

onCluster('a node is not ready while its only server has lost the majority', async (t, cluster) => {
  const [, second] = cluster.galera.nodes
  const alone = { DATABASE_URL: cluster.urlOf(1) }
  const { services } = await cluster.runtime(1, alone)
  t.is(await services.readiness(), 'ready')
  await second.query("set global wsrep_provider_options = 'gmcast.isolate=1'")
  try {
    await until(async () => (await services.readiness()) === 'unreachable')
  } finally {
    await second.query("set global wsrep_provider_options = 'gmcast.isolate=0'")
  }
  await second.untilSynced()
  await until(async () => (await services.readiness()) === 'ready')
  t.pass()
})

onCluster('a rolling restart loses no request', async (t, cluster) => {
  const start = (first: number, port?: number) => cluster.start(first, port)
  const nodes = await Promise.all([0, 1, 2].map((first) => start(first)))
  const ports = nodes.map(({ url }) => Number(new URL(url).port))
  const url = await cluster.balance(ports)
  const { services } = await cluster.runtime(0)
  const { keyPair, apiSecret } = await services.keyPairs.mint(operator, cluster.user.id, 'Test')
  const { accessToken } = await services.tokens.exchange(keyPair.apiKey, apiSecret, { ip: '::1' })
  const headers = { Authorization: `Bearer ${accessToken}` }
  let isOver = false
  const answers = new Map<number, number>()
  const ask = async () => {
    while (!isOver) {
      const { status, body } = await fetch(`${url}/wp/v2/token/validate`, { headers })
      await body?.cancel()
      answers.set(status, (answers.get(status) ?? 0) + 1)
      await delay(10)
    }
  }
  const asking = [ask(), ask(), ask()]
  try {
    for (const [index, node] of nodes.entries()) {
      t.is(await node.stop('SIGTERM'), 0)
      const next = await start(index, ports[index])
      await until(async () => (await next.fetch('/readyz')).ok)
      // Until the balancer has seen it, too.
      await delay(2000)
    }
  } finally {
    isOver = true
    await Promise.all(asking)
  }
  t.deepEqual([...answers.keys()], [200])
  t.true((answers.get(200) ?? 0) > 100)
})
