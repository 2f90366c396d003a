import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { deriveAuditKey, genesis, sealOf } from '../../src/domain/audit.js'
import { createStores, type Stores } from '../../src/store/index.js'
import { migrate } from '../../src/store/migrate.js'
import { createAuditSealer, leaseSeconds } from '../../src/services/audit/sealer.js'
import { createAuditTrail } from '../../src/services/audit/trail.js'
import { onEachDatabaseWithNodes } from '../helpers/with-nodes.js'
import {
  type MigratedStoreTest,
  onEachEmptyDatabase,
  onEachStore,
  type StoreTest,
} from '../helpers/with-stores.js'

const key = deriveAuditKey('kT5-Wq0zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ')
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const operator = { kind: 'operator', id: null, name: null } as const
const event = { action: 'user.created', actor: operator } as const

/** @returns How long the chain is. @throws if it is none. */
async function assertChain(stores: Stores): Promise<number> {
  let last = genesis
  for (;;) {
    const page = await stores.audit.listSealed(last.seq, 500)
    for (const entry of page) {
      last = sealOf(last, entry)
      if (entry.seq !== last.seq || entry.hash !== last.hash) {
        throw new Error(
          `entry ${entry.id} has number ${entry.seq}, not ${last.seq}, or another hash`,
        )
      }
    }
    if (page.length === 0) return last.seq
  }
}

function setUp({ stores }: MigratedStoreTest) {
  let time = 1_700_000_000
  const now = () => time
  const trail = createAuditTrail({ stores, key, now })
  // They seal when the test says so.
  const sealer = (of = stores) =>
    createAuditSealer({ stores: of, key, logger, now, intervalMs: 3_600_000 })
  return {
    trail,
    sealer,
    advance: (seconds: number) => {
      time += seconds
    },
  }
}

// On SQLite nobody else can write meanwhile.
const lateCommit = async (t: ExecutionContext, { open, ...rest }: StoreTest) => {
  const db = open()
  await migrate(db)
  const stores = createStores(db)
  const context = { ...rest, open, db, stores }
  const { trail, sealer } = setUp(context)
  const one = sealer()
  let commit = () => {}
  const until = new Promise<void>((resolve) => {
    commit = resolve
  })
  let hasWritten = () => {}
  const written = new Promise<void>((resolve) => {
    hasWritten = resolve
  })
  const others = createStores(open())
  const late = others.transaction(async (tx) => {
    await trail.write(tx, { ...event, details: { which: 'late' } })
    hasWritten()
    await until
  })
  await written
  await stores.transaction((tx) => trail.write(tx, { ...event, details: { which: 'early' } }))
  t.is(await one.run(), 1)
  commit()
  await late
  t.is(await one.run(), 1)
  const entries = await stores.audit.listSealed(0, 10)
  t.deepEqual(
    entries.map(({ details }) => details.which),
    ['early', 'late'],
  )
  t.true((entries[0]?.id ?? 0) > (entries[1]?.id ?? 0))
  t.is(await assertChain(stores), 2)
  await one.close()
}
onEachEmptyDatabase('an entry that is committed late takes the next place', lateCommit, 'MariaDB')

onEachStore('a sealer that dies is taken over when its lease is over', async (t, context) => {
  const { stores } = context
  const { trail, sealer, advance } = setUp(context)
  const write = () => stores.transaction((tx) => trail.write(tx, event))
  const [dying, heir] = [sealer(), sealer()]
  await write()
  t.is(await dying.run(), 1)
  // It never closes: whatever it would have sealed stays.
  await write()
  t.is(await heir.run(), 0)
  advance(leaseSeconds)
  t.is(await heir.run(), 1)
  // And should it come back to life, it has to wait in its turn.
  await write()
  t.is(await dying.run(), 0)
  await heir.close()
  t.is(await dying.run(), 1)
  t.is(await assertChain(stores), 3)
})

onEachStore('many sealers at once give out each place once', async (t, context) => {
  const { stores, open } = context
  const { trail, sealer, advance } = setUp(context)
  const sealers = Array.from({ length: 4 }, () => sealer(createStores(open())))
  let sealed = 0
  for (let round = 0; round < 3; round++) {
    const events = Array.from({ length: 250 }, () => event)
    await stores.transaction((tx) => trail.write(tx, ...events))
    // Over, so that all of them try.
    advance(leaseSeconds)
    const counts = await Promise.all(sealers.map((each) => each.run()))
    sealed += counts.reduce((sum, count) => sum + count, 0)
  }
  await sealers[0]?.close()
  advance(leaseSeconds)
  sealed += (await sealers[1]?.run()) ?? 0
  t.is(sealed, 750)
  t.is(await assertChain(stores), 750)
})

onEachDatabaseWithNodes('two nodes that write at once make one chain', async (t, nodes) => {
  const { runtime, user } = nodes
  const running = [await nodes.start(), await nodes.start()]
  const mint = async (node: (typeof running)[number], headers: Record<string, string>) => {
    const minted = await node.fetch(`/wp/v2/key-pair/${user.id}`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ name: 'Parallel' }),
    })
    t.is(minted.status, 200)
  }
  const headers = await Promise.all(running.map((node) => nodes.logIn(node)))
  await Promise.all(
    running.flatMap((node, index) =>
      Array.from({ length: 20 }, () => mint(node, headers[index] ?? {})),
    ),
  )
  // One of them is killed, be it the one that seals or not; the other finishes the chain.
  await running[0]?.stop('SIGKILL')
  const [, survivor] = running
  if (!survivor) return t.fail()
  await mint(survivor, headers[1] ?? {})
  const deadline = performance.now() + 120_000
  while ((await runtime.stores.audit.hasUnsealed()) && performance.now() < deadline) {
    await delay(250)
  }
  t.false(await runtime.stores.audit.hasUnsealed())
  const minted = await runtime.stores.audit.list({ action: 'key_pair.minted' }, 100)
  t.is(minted.length, 41)
  t.true((await assertChain(runtime.stores)) >= 44)
})
