import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { createKeyStateReader, type KeyStateReader } from '../../src/services/key-state-reader.js'
import type { KeyState } from '../../src/store/key-states.js'

// The invariant that revocation rests on: the read that answers a request starts after the request
// arrived. Here two requests, a revocation and every moment of the reads are put into every possible
// order, with a store that reads when it is told to.

/**
 * `A`, `B`: a request arrives. `R`: a revocation is committed, and answered. `tick`: the reader gets a
 * turn. `snap`: the oldest read that has started sees the data. `done`: the oldest that has seen them
 * is answered.
 */
type Step = 'A' | 'B' | 'R' | 'tick' | 'snap' | 'done'

const steps: readonly Step[] = ['A', 'B', 'R', 'tick', 'tick', 'snap', 'snap', 'done', 'done']

function* ordersOf(rest: readonly Step[]): Generator<Step[]> {
  if (rest.length === 0) yield []
  for (const step of new Set(rest)) {
    const index = rest.indexOf(step)
    for (const tail of ordersOf(rest.toSpliced(index, 1))) yield [step, ...tail]
  }
}

interface Read {
  answer(states: KeyState[]): void
  seen?: KeyState[]
}

const revokedAt = 1_800_000_000

/** @returns Whether a request that arrived after the revocation was told that the key lives. */
async function isStale(
  order: readonly Step[],
  createReader: (readStates: () => Promise<KeyState[]>) => Pick<KeyStateReader, 'read'>,
): Promise<boolean> {
  let isRevoked = false
  const started: Read[] = []
  const seen: Read[] = []
  const reader = createReader(
    () => new Promise<KeyState[]>((resolve) => void started.push({ answer: resolve })),
  )
  const answers: { arrivedAfter: boolean; answer: Promise<KeyState | undefined> }[] = []

  async function take(step: Step): Promise<void> {
    if (step === 'A' || step === 'B') {
      answers.push({ arrivedAfter: isRevoked, answer: reader.read('1key') })
    } else if (step === 'R') {
      isRevoked = true
    } else if (step === 'tick') {
      await turn()
    } else if (step === 'snap') {
      const read = started.shift()
      if (read) seen.push({ ...read, seen: [stateOf(isRevoked)] })
    } else {
      const read = seen.shift()
      read?.answer(read.seen ?? [])
    }
  }

  for (const step of order) await take(step)
  let open = answers.length
  for (const { answer } of answers) void answer.then(() => open--)
  while (open > 0) for (const step of ['tick', 'snap', 'done', 'tick'] as const) await take(step)

  const states = await Promise.all(answers.map(({ answer }) => answer))
  return answers.some(({ arrivedAfter }, i) => arrivedAfter && states[i]?.revokedAt === null)
}

function stateOf(isRevoked: boolean): KeyState {
  return {
    keyPairId: 1,
    apiKey: '1key',
    userId: 1,
    secret: { scheme: 'sha256', hash: '' },
    secretVersion: 0,
    previousSecret: null,
    policy: { expiresAt: null, scopes: null, networks: null },
    revokedAt: isRevoked ? revokedAt : null,
    user: {
      id: 1,
      login: 'ada',
      email: 'ada@sample.org',
      nicename: 'ada',
      displayName: 'Ada',
      firstName: '',
      lastName: '',
      roles: ['subscriber'],
      status: 'active',
      createdAt: 0,
    },
  }
}

test('no request that arrives after a revocation is told that the key lives, in any order', async (t) => {
  let orders = 0
  for (const order of ordersOf(steps)) {
    orders++
    if (await isStale(order, (readStates) => createKeyStateReader({ readStates }))) {
      t.fail(`stale in the order ${order.join(' ')}`)
      return
    }
  }
  t.is(orders, 45_360)
})

test('the same orders convict a reader that lets late requests join a read under way', async (t) => {
  const convicted: string[] = []
  for (const order of ordersOf(steps)) {
    const stale = await isStale(order, (readStates) => {
      let current: Promise<KeyState[]> | undefined
      return {
        read: async () => {
          current ??= readStates().finally(() => {
            current = undefined
          })
          return (await current)[0]
        },
      }
    })
    if (stale) convicted.push(order.join(' '))
    if (convicted.length > 0) break
  }
  t.is(convicted.length, 1)
})

test('requests that wait share one read, and each key is asked for once', async (t) => {
  const batches: string[][] = []
  const reader = createKeyStateReader({
    readStates: async (apiKeys) => {
      batches.push([...apiKeys])
      return apiKeys.map((apiKey) => ({ ...stateOf(false), apiKey }))
    },
  })
  const states = await Promise.all(['1a', '1b', '1a', '1c', '1b'].map((key) => reader.read(key)))
  t.deepEqual(batches, [['1a', '1b', '1c']])
  t.deepEqual(
    states.map((state) => state?.apiKey),
    ['1a', '1b', '1a', '1c', '1b'],
  )
})

test('a batch is bounded; what does not fit goes into the next', async (t) => {
  const sizes: number[] = []
  const reader = createKeyStateReader({
    maxBatch: 10,
    readStates: async (apiKeys) => {
      sizes.push(apiKeys.length)
      return []
    },
  })
  const states = await Promise.all(Array.from({ length: 25 }, (_, i) => reader.read(`1${i}`)))
  t.deepEqual(sizes, [10, 10, 5])
  t.true(states.every((state) => state === undefined))
})

test('a failed read fails its own callers with 503 and nobody else', async (t) => {
  let fail = true
  const reader = createKeyStateReader({
    readStates: async () => {
      if (fail) throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' })
      return [stateOf(false)]
    },
  })
  const failed = await Promise.allSettled([reader.read('1key'), reader.read('1other')])
  for (const result of failed) {
    t.is(result.status, 'rejected')
    t.is(result.status === 'rejected' && result.reason.code, 'rest_service_unavailable')
  }
  fail = false
  t.is((await reader.read('1key'))?.apiKey, '1key')
})

test('a read that never ends times out, and the next one is made', async (t) => {
  let calls = 0
  const reader = createKeyStateReader({
    timeoutMs: 50,
    readStates: () => (++calls === 1 ? new Promise(() => {}) : Promise.resolve([stateOf(true)])),
  })
  const first = reader.read('1key')
  await turn()
  const second = reader.read('1key')
  await t.throwsAsync(first, { code: 'rest_service_unavailable' })
  t.is((await second)?.revokedAt, revokedAt)
})
