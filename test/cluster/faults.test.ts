import { setTimeout as delay } from 'node:timers/promises'
import type { SpawnedService } from '../helpers/spawn-service.js'
import { Checker } from './checker.js'
import { type Cluster, onCluster } from './with-cluster.js'

/** Checked requests at least; the long form is `CLUSTER_REQUESTS=200000`. */
const wantedRequests = Number(process.env.CLUSTER_REQUESTS ?? 4000)
const clients = 16
const devices = 4
/** Longest time without an accepted request in the long form, on a machine that does nothing else. */
const longestGapMs = Number(process.env.CLUSTER_LONGEST_GAP_MS ?? Number.POSITIVE_INFINITY)
/** How long one fault lasts, and how long is waited until the next, in milliseconds. */
const faultMs = 2500

onCluster('no revoked key is accepted, whatever happens to the nodes', async (t, cluster) => {
  const services = await Promise.all([0, 1, 2].map((first) => cluster.start(first)))
  const ports = services.map(({ url }) => Number(new URL(url).port))
  const checker = new Checker(await cluster.balance(ports), cluster.user.id)
  await checker.logIn()
  for (let i = 0; i < 25; i++) await checker.mint()
  const work = [
    checker.change(),
    ...Array.from({ length: clients }, () => checker.check()),
    ...Array.from({ length: devices }, (_, i) => checker.rotate(`Device ${i}`)),
  ]
  let longestGap = 0
  const faults = faultsOf(cluster, services, ports)
  try {
    for (let round = 0; checker.requests < wantedRequests || round < faults.length; round++) {
      const [name, fault] = faults[round % faults.length] ?? []
      await fault?.()
      t.log(
        `${name}: ${checker.requests} checked, longest gap ${Math.round(checker.longestGap)} ms`,
      )
      longestGap = Math.max(longestGap, checker.longestGap)
      checker.longestGap = 0
      await delay(1000)
    }
  } finally {
    checker.isOver = true
    await Promise.all(work)
  }
  t.log(
    `${checker.requests} requests, ${checker.mints} mints, ${checker.revokes} revokes, ${checker.rotations} rotations, longest gap ${Math.round(longestGap)} ms`,
  )
  t.log(Object.fromEntries(checker.statuses))
  const errors = services.flatMap((node) => node.output().match(/.*"level":[56]0.*/g) ?? [])
  t.deepEqual(checker.violations, [], errors.join('\n'))
  t.true(checker.revokes > 0)
  t.true(checker.rotations > devices)
  t.true(longestGap < longestGapMs)
  t.true((checker.statuses.get(200) ?? 0) > wantedRequests / 4)
  // What was answered is what is there.
  const runtime = await cluster.runtime(0)
  const living = new Set(
    (await runtime.stores.keyPairs.listByUser(cluster.user.id)).map(({ apiKey }) => apiKey),
  )
  for (const key of checker.keys) t.is(living.has(key.apiKey), key.revokedAt === undefined)
})

function faultsOf(
  { galera, start }: Cluster,
  services: SpawnedService[],
  ports: number[],
): [string, () => Promise<void>][] {
  const [first, second, third] = galera.nodes
  return [
    [
      'a database server is killed',
      async () => {
        first.signal('SIGKILL')
        await delay(faultMs)
        await first.start()
      },
    ],
    [
      'a node is killed',
      async () => {
        await services[0]?.stop('SIGKILL')
        await delay(faultMs)
        services[0] = await start(0, ports[0])
      },
    ],
    [
      'a database server is paused',
      async () => {
        second.signal('SIGSTOP')
        await delay(faultMs)
        second.signal('SIGCONT')
        await second.untilSynced()
      },
    ],
    [
      'a node is paused',
      async () => {
        services[1]?.child.kill('SIGSTOP')
        await delay(faultMs)
        services[1]?.child.kill('SIGCONT')
      },
    ],
    [
      'a database server is cut off from the others',
      async () => {
        await third.query("set global wsrep_provider_options = 'gmcast.isolate=1'")
        await delay(faultMs)
        await third.query("set global wsrep_provider_options = 'gmcast.isolate=0'")
        await third.untilSynced()
      },
    ],
    [
      'a node is restarted',
      async () => {
        await services[2]?.stop('SIGTERM')
        services[2] = await start(2, ports[2])
      },
    ],
  ]
}
