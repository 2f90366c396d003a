import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import {
  createKeyStateReader,
  type KeyStateReader,
  type TokenMark,
} from '../../src/services/key-state-reader.js'
import type { DeviceState, KeyState, TokenStates } from '../../src/store/key-states.js'

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
  answer(states: TokenStates): void
  seen?: TokenStates
}

const revokedAt = 1_800_000_000
const ofDevice: TokenMark = { chain: 'chain-of-1' }
const ofRegistered: TokenMark = { registeredId: 'token-1' }

/** What tokens the requests bring, beside their key. */
type Marks = Partial<Record<'A' | 'B', TokenMark>>

/**
 * A revocation revokes the key, signs the device out and revokes the registered token.
 *
 * @returns Whether a request that arrived after it was told that any of what its token names lives.
 */
async function isStale(
  order: readonly Step[],
  createReader: (readStates: () => Promise<TokenStates>) => Pick<KeyStateReader, 'read'>,
  marks: Marks = {},
): Promise<boolean> {
  let isRevoked = false
  const started: Read[] = []
  const seen: Read[] = []
  const reader = createReader(
    () => new Promise<TokenStates>((resolve) => void started.push({ answer: resolve })),
  )
  const answers: { arrivedAfter: boolean; answer: Promise<KeyState | undefined> }[] = []

  async function take(step: Step): Promise<void> {
    if (step === 'A' || step === 'B') {
      answers.push({ arrivedAfter: isRevoked, answer: reader.read('1key', marks[step]) })
    } else if (step === 'R') {
      isRevoked = true
    } else if (step === 'tick') {
      await turn()
    } else if (step === 'snap') {
      const read = started.shift()
      if (read) seen.push({ ...read, seen: statesOf(isRevoked) })
    } else {
      const read = seen.shift()
      if (read?.seen) read.answer(read.seen)
    }
  }

  for (const step of order) await take(step)
  let open = answers.length
  for (const { answer } of answers) void answer.then(() => open--)
  while (open > 0) for (const step of ['tick', 'snap', 'done', 'tick'] as const) await take(step)

  const states = await Promise.all(answers.map(({ answer }) => answer))
  return answers.some(({ arrivedAfter }, i) => arrivedAfter && isAlive(states[i]))
}

/** Whether any of it is, so that a mixture of before and after counts as alive. */
function isAlive(state: KeyState | undefined): boolean {
  const { revokedAt, device, registration } = state ?? {}
  return revokedAt === null || device?.endedAt === null || registration?.revokedAt === null
}

function statesOf(isRevoked: boolean): TokenStates {
  const endedAt = isRevoked ? revokedAt : null
  return {
    states: [stateOf(isRevoked)],
    devices: [deviceOf('chain-of-1', endedAt)],
    registrations: [{ tokenId: 'token-1', keyPairId: 1, revokedAt: endedAt }],
  }
}

function deviceOf(chain: string, endedAt: number | null): DeviceState {
  const numbers = { generation: 0, secretVersion: 0, issuedAt: 0, refreshExpiresAt: revokedAt }
  return { deviceId: 1, keyPairId: 1, chain, name: 'phone', ...numbers, endedAt }
}

function stateOf(isRevoked: boolean): KeyState {
  return {
    keyPairId: 1,
    apiKey: '1key',
    userId: 1,
    secret: { scheme: 'sha256', hash: '' },
    secretVersion: 0,
    previousSecret: null,
    policy: { expiresAt: null, scopes: null, networks: null, requireDevice: false },
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
      expiresAt: null,
      createdAt: 0,
    },
  }
}

/** The same store, asked either way. */
function readerOf(readAll: () => Promise<TokenStates>): KeyStateReader {
  return createKeyStateReader({
    readStates: async () => (await readAll()).states,
    readMarkedStates: readAll,
  })
}

const kinds: [title: string, marks: Marks][] = [
  ['a key', {}],
  ['a device', { A: ofDevice, B: ofDevice }],
  ['a key or a device', { B: ofDevice }],
  ['a device or a registered token', { A: ofDevice, B: ofRegistered }],
]

for (const [title, marks] of kinds) {
  test(`no request that arrives after a revocation is told that ${title} lives, in any order`, async (t) => {
    let orders = 0
    for (const order of ordersOf(steps)) {
      orders++
      if (await isStale(order, readerOf, marks)) {
        t.fail(`stale in the order ${order.join(' ')}`)
        return
      }
    }
    t.is(orders, 45_360)
  })
}

test('the same orders convict a reader that lets late requests join a read under way', async (t) => {
  const convicted: string[] = []
  for (const order of ordersOf(steps)) {
    const stale = await isStale(order, (readStates) => {
      let current: Promise<TokenStates> | undefined
      return {
        read: async () => {
          current ??= readStates().finally(() => {
            current = undefined
          })
          return (await current).states[0]
        },
      }
    })
    if (stale) convicted.push(order.join(' '))
    if (convicted.length > 0) break
  }
  t.is(convicted.length, 1)
})

const unmarked = {
  readMarkedStates: async () => {
    throw new Error('nothing was marked')
  },
}

test('requests that wait share one read, and each key is asked for once', async (t) => {
  const batches: string[][] = []
  const reader = createKeyStateReader({
    ...unmarked,
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

test('one marked request makes the read ask for all marks, each once, and each gets its own', async (t) => {
  const asked: unknown[] = []
  const reader = createKeyStateReader({
    readStates: async () => {
      throw new Error('something was marked')
    },
    readMarkedStates: async (apiKeys, marks) => {
      asked.push({ apiKeys, ...marks })
      return {
        states: apiKeys.map((apiKey) => ({ ...stateOf(false), apiKey })),
        devices: [deviceOf('c1', null), deviceOf('c2', 5)],
        registrations: [{ tokenId: 't1', keyPairId: 1, revokedAt: 7 }],
      }
    },
  })
  const states = await Promise.all([
    reader.read('1a'),
    reader.read('1a', { chain: 'c1' }),
    reader.read('1a', { chain: 'c2', registeredId: 't1' }),
    reader.read('1b', { chain: 'c1' }),
    reader.read('1a', { chain: 'unknown', registeredId: 'unknown' }),
  ])
  t.deepEqual(asked, [
    { apiKeys: ['1a', '1b'], chains: ['c1', 'c2', 'unknown'], tokenIds: ['t1', 'unknown'] },
  ])
  t.deepEqual(
    states.map((state) => [state?.apiKey, state?.device?.chain, state?.registration?.revokedAt]),
    [
      ['1a', undefined, undefined],
      ['1a', 'c1', undefined],
      ['1a', 'c2', 7],
      ['1b', 'c1', undefined],
      ['1a', undefined, undefined],
    ],
  )
  t.false('device' in (states[0] ?? {}))
})

test('a batch is bounded; what does not fit goes into the next', async (t) => {
  const sizes: number[] = []
  const reader = createKeyStateReader({
    ...unmarked,
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
    ...unmarked,
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
    ...unmarked,
    timeoutMs: 50,
    readStates: () => (++calls === 1 ? new Promise(() => {}) : Promise.resolve([stateOf(true)])),
  })
  const first = reader.read('1key')
  await turn()
  const second = reader.read('1key')
  await t.throwsAsync(first, { code: 'rest_service_unavailable' })
  t.is((await second)?.revokedAt, revokedAt)
})
