import test from 'ava'
import { createKeyStateReader } from '../../src/services/key-state-reader.js'
import { createReadPace } from '../../src/services/read-pace.js'

test('in no second are there more reads than the pace and a short burst', (t) => {
  let now = 0
  const pace = createReadPace(1000, () => now)
  const begun: number[] = []
  // As often as it may; then, after quiet moments of every length, again.
  for (const pause of [0, 1, 5, 9, 50, 1500]) {
    now += pause
    for (let i = 0; i < 1500; i++) {
      now += pace.waitMs()
      pace.begin()
      begun.push(now)
    }
  }
  for (const [index, from] of begun.entries()) {
    const until = begun.findIndex((at, later) => later > index && at >= from + 1000)
    const count = (until === -1 ? begun.length : until) - index
    // Ten milliseconds' worth may come at once, and the one that is just due.
    if (count > 1000 + 10 + 1) return t.fail(`${count} reads in the second from ${from}`)
  }
  t.is(begun.length, 9000)
})

test('after a quiet moment a read need not wait', (t) => {
  let now = 0
  const pace = createReadPace(100, () => now)
  for (let i = 0; i < 50; i++) pace.begin()
  t.true(pace.waitMs() > 0)
  now += 1000
  t.is(pace.waitMs(), 0)
})

test('one client that asks again and again has no more reads than the pace', async (t) => {
  const perSecond = 500
  let asked: readonly string[] = []
  const reader = createKeyStateReader({
    async readStates(apiKeys) {
      asked = apiKeys
      return []
    },
    async readMarkedStates() {
      return { states: [], devices: [], registrations: [] }
    },
    readsPerSecond: perSecond,
  })
  const began = performance.now()
  for (let i = 0; i < 100; i++) t.is(await reader.read(`key${i}`), undefined)
  const seconds = (performance.now() - began) / 1000
  t.deepEqual(asked, ['key99'])
  t.is(reader.reads(), 100)
  t.true(100 <= perSecond * (seconds + 0.01) + 1, `100 reads in ${seconds} s`)
})

test('a read that is put off is shared by all that come meanwhile', async (t) => {
  const reader = createKeyStateReader({
    readStates: async () => [],
    readMarkedStates: async () => ({ states: [], devices: [], registrations: [] }),
    readsPerSecond: 10,
  })
  await Promise.all(Array.from({ length: 200 }, (_, i) => reader.read(`key${i}`)))
  const before = reader.reads()
  const answers: Promise<unknown>[] = []
  for (let i = 0; i < 20; i++) {
    answers.push(reader.read(`other${i}`))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(answers)
  t.true(reader.reads() - before < 20)
})
