import test from 'ava'
import pino from 'pino'
import { createUsageRecorder } from '../../src/services/usage-recorder.js'
import type { DailyUsage } from '../../src/store/key-pair-usage.js'
import type { Use } from '../../src/store/key-pairs.js'

// The database is stood in for by two lists here, because what matters is what happens while it fails.
function newRecorder() {
  const written: Use[][] = []
  const counted: DailyUsage[] = []
  const state = { isDown: false }
  const assertUp = () => {
    if (state.isDown) throw new Error('the database is away')
  }
  const recorder = createUsageRecorder({
    async recordUses(uses) {
      assertUp()
      written.push([...uses])
    },
    async addDailyUsage(usage) {
      assertUp()
      counted.push(...usage.map((item) => ({ ...item })))
    },
    logger: pino({ level: 'silent' }),
    intervalMs: 3_600_000,
  })
  return { recorder, written, counted, state }
}

const use = (keyPairId: number, at: number): Use => ({ keyPairId, at, ip: '::1' })
const day = 86_400

test('uses are collected, the last of each pair is written, once', async (t) => {
  const { recorder, written, counted } = newRecorder()
  recorder.record(use(1, 10))
  recorder.record(use(2, 11))
  recorder.record(use(1, 12))
  t.deepEqual(written, [])
  await recorder.flush()
  await recorder.flush()
  t.deepEqual(written, [[use(1, 12), use(2, 11)]])
  t.deepEqual(counted, [
    { keyPairId: 1, day: 0, exchanges: 2 },
    { keyPairId: 2, day: 0, exchanges: 1 },
  ])
})

test('a token’s uses are written once a minute, and are no exchanges', async (t) => {
  const { recorder, written, counted } = newRecorder()
  for (let at = 0; at <= 120; at += 10) {
    recorder.recordBearer(use(1, at))
    await recorder.flush()
  }
  t.deepEqual(written.flat(), [use(1, 0), use(1, 60), use(1, 120)])
  t.deepEqual(counted, [])
})

test('what could not be written is kept, unless a later use has come', async (t) => {
  const { recorder, written, counted, state } = newRecorder()
  state.isDown = true
  recorder.record(use(1, 10))
  recorder.record(use(2, 11))
  await recorder.flush()
  recorder.record(use(1, day + 5))
  await recorder.flush()
  state.isDown = false
  await recorder.flush()
  t.deepEqual(
    written.flat().sort((a, b) => a.keyPairId - b.keyPairId),
    [use(1, day + 5), use(2, 11)],
  )
  t.deepEqual(
    counted.sort((a, b) => a.keyPairId - b.keyPairId || a.day - b.day),
    [
      { keyPairId: 1, day: 0, exchanges: 1 },
      { keyPairId: 1, day: 1, exchanges: 1 },
      { keyPairId: 2, day: 0, exchanges: 1 },
    ],
  )
})

test('many uses go into several statements, and closing writes the rest', async (t) => {
  const { recorder, written, counted } = newRecorder()
  for (let id = 1; id <= 1201; id++) recorder.record(use(id, id))
  await recorder.close()
  t.deepEqual(
    written.map((uses) => uses.length),
    [...new Array<number>(12).fill(100), 1],
  )
  t.is(counted.length, 1201)
})

test('a flush ends, though new uses come while it writes', async (t) => {
  const { recorder, written } = newRecorder()
  recorder.record(use(1, 1))
  let isOver = false
  const busy = (async () => {
    for (let at = 2; !isOver; at++) {
      recorder.record(use(1, at))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await recorder.flush()
  isOver = true
  await busy
  t.true(written.length <= 2)
})

test('while the database is away the memory stays bounded', async (t) => {
  const { recorder, written, state } = newRecorder()
  state.isDown = true
  for (let id = 1; id <= 60_000; id++) recorder.record(use(id, 1))
  await recorder.flush()
  recorder.record(use(5, 99))
  state.isDown = false
  await recorder.flush()
  const uses = written.flat()
  t.is(uses.length, 50_000)
  t.is(uses.find(({ keyPairId }) => keyPairId === 5)?.at, 99, 'known pairs are still updated')
})
