import type { Knex } from 'knex'
import { deriveAuditKey } from '../../src/domain/audit.js'
import type { Stores } from '../../src/store/index.js'
import { purgeAuditLog } from '../../src/services/audit/purge.js'
import { createAuditSealer } from '../../src/services/audit/sealer.js'
import { createAuditTrail } from '../../src/services/audit/trail.js'
import { type AuditProblem, verifyAuditLog } from '../../src/services/audit/verifier.js'
import { type MigratedStoreTest, onEachStore } from '../helpers/with-stores.js'

const key = deriveAuditKey('kT5-Wq0zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ')
const otherKey = deriveAuditKey('another secret that is long enough for this')
const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A chain of so many entries, with a checkpoint after every tenth. */
async function setUp({ stores, db }: MigratedStoreTest, length = 30) {
  let time = 1_700_000_000
  const now = () => time
  const trail = createAuditTrail({ stores, key, now })
  const sealer = createAuditSealer({ stores, key, logger, now, intervalMs: 3_600_000 })
  async function write(count: number) {
    for (let done = 0; done < count; done += 10) {
      const events = Array.from({ length: Math.min(10, count - done) }, (_, index) => ({
        action: 'user.created' as const,
        actor: { kind: 'user' as const, id: 1, name: 'Zoë 🔑' },
        userId: 1,
        apiKey: '1abc',
        origin: { ip: '203.0.113.7', userAgent: 'agent "quoted" \\ é', requestId: 'r-1' },
        details: { number: done + index, isOld: false, nothing: null, text: 'x\ny' },
      }))
      await stores.transaction((tx) => trail.write(tx, ...events))
      // A checkpoint is due after an hour.
      time += 3600
      await sealer.run()
    }
  }
  await write(length)
  return {
    db,
    trail,
    sealer,
    write,
    now,
    /** The problems, with the places where they are. */
    async problems(expected?: {
      seq: number
      hash: string
    }): Promise<[AuditProblem, number | null][]> {
      const { findings, total } = await verify(stores, expected)
      if (findings.length !== total) throw new Error('more findings than are shown')
      return findings.map(({ problem, seq }) => [problem, seq])
    },
    advance: (seconds: number) => {
      time += seconds
    },
  }
}

const verify = (stores: Stores, expected?: { seq: number; hash: string }, keys = [key]) =>
  verifyAuditLog({ store: stores.audit, keys, expected })

const row = (db: Knex, seq: number) => db('audit_log').where({ seq })

onEachStore('what the service wrote is found as it wrote it', async (t, context) => {
  const { problems, write } = await setUp(context)
  t.deepEqual(await problems(), [])
  const before = await verify(context.stores)
  t.is(before.entries, 30)
  t.is(before.end.seq, 30)
  await write(10)
  t.deepEqual(await problems(before.end), [])
})

const edits = [
  ['at', 1],
  ['action', 'user.deleted'],
  ['outcome', 'refused'],
  ['actor_id', 2],
  ['actor_name', null],
  ['user_id', 9],
  ['api_key', '1abd'],
  ['ip', '203.0.113.8'],
  ['user_agent', 'other'],
  ['request_id', 'r-2'],
  ['reason', 'x'],
  ['times', 2],
  ['details', '{}'],
  ['details', 'no JSON'],
  ['mac', 'x'.repeat(43)],
] as const

onEachStore('an entry is found whatever of it was edited', async (t, context) => {
  const { problems, db } = await setUp(context)
  for (const [index, [column, value]] of edits.entries()) {
    t.is(await row(db, index + 1).update({ [column]: value }), 1)
  }
  t.deepEqual(
    await problems(),
    edits.map((_, index) => ['edited', index + 1]),
  )
})

onEachStore(
  'missing entries are found, at the beginning, within and at the end',
  async (t, context) => {
    const { problems, db } = await setUp(context)
    await row(db, 5).delete()
    await db('audit_log').whereBetween('seq', [11, 13]).delete()
    await db('audit_log').where('seq', '>', 28).delete()
    await row(db, 1).delete()
    t.deepEqual(await problems(), [
      ['missing', 1],
      ['missing', 5],
      ['missing', 11],
      ['missing', 29],
    ])
  },
)

onEachStore('entries that changed places are found', async (t, context) => {
  const { problems, db } = await setUp(context)
  const [fifth, sixth] = [await row(db, 5).first(), await row(db, 6).first()]
  await db('audit_log').where({ id: fifth.id }).update({ seq: 1000 })
  await db('audit_log').where({ id: sixth.id }).update({ seq: 5, hash: fifth.hash })
  await db('audit_log').where({ id: fifth.id }).update({ seq: 6, hash: sixth.hash })
  t.deepEqual(await problems(), [
    ['moved', 5],
    ['moved', 6],
  ])
})

onEachStore('entries that others wrote are found, sealed or not', async (t, context) => {
  const { problems, db, sealer, advance } = await setUp(context, 10)
  const { id: _, ...model } = await row(db, 4).first()
  await db('audit_log').insert({ ...model, uid: 'A'.repeat(16), seq: null, hash: null })
  t.deepEqual(await problems(), [['edited', null]])
  advance(60)
  await sealer.run()
  t.deepEqual(await problems(), [['edited', 11]])
  await db('audit_log').insert({ ...model, uid: 'B'.repeat(16), seq: 12, hash: 'x' })
  t.deepEqual(await problems(), [
    ['edited', 11],
    ['inserted', 12],
  ])
})

onEachStore('a chain that was made anew without the secret is found', async (t, context) => {
  const { stores, db } = context
  const { problems } = await setUp(context)
  const end = (await verify(stores)).end
  // Somebody who knows the program, and has no key, takes an entry out and closes the gap.
  await row(db, 7).delete()
  await db('audit_log').update({ seq: null, hash: null })
  await db('audit_head').delete()
  const forger = createAuditSealer({
    stores,
    key: otherKey,
    logger,
    now: () => 1_800_000_000,
    intervalMs: 3_600_000,
  })
  await forger.run()
  await forger.close()
  const found = (await problems(end)).map(([problem]) => problem)
  t.true(found.includes('rewritten'))
  t.true(found.includes('unknown_key'))
})

onEachStore('a head that was set back is found', async (t, context) => {
  const { problems, db } = await setUp(context)
  const { hash } = await row(db, 20).first()
  await db('audit_log').where('seq', '>', 20).delete()
  await db('audit_checkpoints').where('seq', '>', 20).delete()
  await db('audit_head').update({ seq: 20, hash })
  t.deepEqual(await problems(), [['forged', 20]])
})

onEachStore('what the chain once said cannot be taken back', async (t, context) => {
  const { stores, db } = context
  const { problems, write } = await setUp(context, 20)
  const copy = {
    head: await db('audit_head').first(),
    statements: await db('audit_checkpoints'),
  }
  await write(10)
  const { end } = await verify(stores)
  // The state of before, head and all: only somebody who kept the end of the chain can tell.
  await db('audit_log').where('seq', '>', 20).delete()
  await db('audit_head').update(copy.head)
  await db('audit_checkpoints').delete()
  await db('audit_checkpoints').insert(copy.statements)
  t.deepEqual(await problems(), [])
  t.deepEqual(await problems(end), [['missing', null]])
})

onEachStore('a purge leaves a chain that holds, and cannot be imitated', async (t, context) => {
  const { stores, db } = context
  const { problems, trail, now, write, advance } = await setUp(context)
  await write(10)
  advance(86_400)
  const cut = now() - 86_400 - 5400
  const purged = await purgeAuditLog({ stores, trail, key, now }, cut)
  t.is(purged, 20)
  await write(10)
  t.deepEqual(await problems(), [])
  const [first] = await stores.audit.listSealed(0, 1)
  t.is(first?.seq, 21)
  const { details } = (await stores.audit.list({ action: 'audit.purged' }, 1))[0] ?? {}
  t.is(details?.through, 20)
  // The same again, by hand.
  await db('audit_log').where('seq', '<=', 30).delete()
  await db('audit_checkpoints').where('seq', '<', 30).delete()
  await db('audit_checkpoints').where({ seq: 30 }).update({ kind: 'anchor' })
  const found = await problems()
  t.deepEqual(found, [
    ['forged', 30],
    ['missing', 1],
  ])
})

onEachStore('entries from before a change of the secret need that secret', async (t, context) => {
  const { stores } = context
  await setUp(context, 10)
  const { findings } = await verify(stores, undefined, [otherKey])
  t.deepEqual(
    findings.map(({ problem }) => problem),
    ['unknown_key'],
  )
  const both = await verify(stores, undefined, [otherKey, key])
  t.is(both.total, 0)
})
