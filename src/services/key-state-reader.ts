import { createHistogram, observe } from '../domain/histogram.js'
import { ServiceError } from '../errors.js'
import type { KeyState, TokenMarks, TokenStates } from '../store/key-states.js'
import type { StateReadMeasures } from './measures.js'
import { createReadPace } from './read-pace.js'

/** What a token names beside its key. Its signature has been verified. */
export interface TokenMark {
  /** The chain of its device. */
  chain?: string | undefined
  /** Its own id, if it is registered. */
  registeredId?: string | undefined
}

export interface KeyStateReader {
  /**
   * The state of a key and its user, as it is now; `undefined` if there is no such key.
   *
   * The invariant everything rests on: *the read that answers a call starts after the call*. So a
   * revocation that was answered before a request arrived is always seen by it.
   *
   * @param mark What else decides about the token; its states are in the answer (`device`,
   *   `registration`), as of the same moment. Whether they are of this key is for the caller to see.
   * @throws {ServiceError} `rest_service_unavailable` if this call's read failed or timed out.
   */
  read(apiKey: string, mark?: TokenMark): Promise<KeyState | undefined>
  /** @returns How many queries have been sent so far. */
  reads(): number
  measures(): StateReadMeasures
}

export interface KeyStateReaderOptions {
  /** One query for many keys. */
  readStates(apiKeys: readonly string[]): Promise<KeyState[]>
  /** The same with what tokens name beside their keys: one query, too. */
  readMarkedStates(apiKeys: readonly string[], marks: TokenMarks): Promise<TokenStates>
  /** Most keys in one query. */
  maxBatch?: number
  /** Longest wait of a call, its wait for the read before its own included. */
  timeoutMs?: number
  /** Most queries a second, where they cost somebody else something; any number if absent. */
  readsPerSecond?: number | undefined
}

interface Waiting {
  apiKey: string
  mark: TokenMark | undefined
  promise: Promise<KeyState | undefined>
  resolve(state: KeyState | undefined): void
  reject(error: unknown): void
}

const keyBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500]
const secondBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 2.5]

/**
 * Shares reads without ever caching one. Calls that come while a read is under way wait together for
 * the next, which asks for all their keys at once: a busy node sends one query a round trip instead
 * of one a request, and nobody is answered with a state older than their own arrival.
 */
export function createKeyStateReader(options: KeyStateReaderOptions): KeyStateReader {
  const { readStates, readMarkedStates, maxBatch = 500, timeoutMs = 2000 } = options
  const pace = options.readsPerSecond ? createReadPace(options.readsPerSecond) : undefined
  /** Asked for since the last read began, by {@link nameOf}. */
  const waiting = new Map<string, Waiting>()
  /** When the first of them was asked for. */
  let waitingSince = 0
  let isReading = false
  let isScheduled = false
  let reads = 0
  let failures = 0
  let lastSuccess: number | undefined
  const keys = createHistogram(keyBounds)
  const seconds = createHistogram(secondBounds)

  // At the end of this turn of the event loop, so that all requests that arrived in it share a read.
  function schedule(): void {
    if (isReading || isScheduled) return
    isScheduled = true
    const waitMs = pace?.waitMs() ?? 0
    if (waitMs > 0) setTimeout(begin, Math.ceil(waitMs))
    else setImmediate(begin)
  }

  function begin(): void {
    isScheduled = false
    pace?.begin()
    void readNext()
  }

  async function readNext(): Promise<void> {
    isReading = true
    const since = waitingSince
    const batch = takeBatch()
    reads++
    observe(keys, batch.size)
    const began = performance.now()
    // Whoever waited long for the read before has less time left, but never none.
    const limitMs = Math.max(timeoutMs - (began - since), timeoutMs / 4)
    try {
      const answering = areUnmarked(batch) ? answerUnmarked(batch) : answerMarked(batch)
      await withTimeout(answering, limitMs)
      lastSuccess = performance.now()
    } catch (cause) {
      failures++
      // Only this read's callers fail; whoever waits for the next has its own chance.
      const error = new ServiceError('rest_service_unavailable', { cause })
      for (const call of batch.values()) call.reject(error)
    } finally {
      observe(seconds, (performance.now() - began) / 1000)
      isReading = false
      if (waiting.size > 0) schedule()
    }
  }

  async function answerUnmarked(batch: Map<string, Waiting>): Promise<void> {
    const states = await readStates([...batch.keys()])
    for (const state of states) {
      batch.get(state.apiKey)?.resolve(state)
      batch.delete(state.apiKey)
    }
    for (const call of batch.values()) call.resolve(undefined)
  }

  async function answerMarked(batch: Map<string, Waiting>): Promise<void> {
    const calls = [...batch.values()]
    const named = (names: (string | undefined)[]) => [
      ...new Set(names.filter((name) => name !== undefined)),
    ]
    const answer = await readMarkedStates(named(calls.map(({ apiKey }) => apiKey)), {
      chains: named(calls.map(({ mark }) => mark?.chain)),
      tokenIds: named(calls.map(({ mark }) => mark?.registeredId)),
    })
    const states = new Map(answer.states.map((state) => [state.apiKey, state]))
    const devices = new Map(answer.devices.map((device) => [device.chain, device]))
    const registrations = new Map(answer.registrations.map((found) => [found.tokenId, found]))
    for (const { apiKey, mark, resolve } of calls) {
      const state = states.get(apiKey)
      const device = mark?.chain === undefined ? undefined : devices.get(mark.chain)
      const { registeredId } = mark ?? {}
      const registration = registeredId === undefined ? undefined : registrations.get(registeredId)
      resolve(
        state && {
          ...state,
          ...(device && { device }),
          ...(registration && { registration }),
        },
      )
    }
  }

  function takeBatch(): Map<string, Waiting> {
    const batch = new Map<string, Waiting>()
    for (const [name, call] of waiting) {
      if (batch.size === maxBatch) break
      batch.set(name, call)
      waiting.delete(name)
    }
    return batch
  }

  return {
    read(apiKey, mark) {
      const name = mark ? nameOf(apiKey, mark) : apiKey
      const known = waiting.get(name)
      if (known) return known.promise
      const call = createWaiting(apiKey, mark)
      if (waiting.size === 0) waitingSince = performance.now()
      waiting.set(name, call)
      schedule()
      return call.promise
    },
    reads: () => reads,
    measures: () => ({
      keys,
      seconds,
      failures,
      waiting: waiting.size,
      age: lastSuccess === undefined ? undefined : (performance.now() - lastSuccess) / 1000,
    }),
  }
}

/** Keys and ids have no white space in them. */
function nameOf(apiKey: string, { chain = '', registeredId = '' }: TokenMark): string {
  return `${apiKey} ${chain} ${registeredId}`
}

function areUnmarked(batch: Map<string, Waiting>): boolean {
  for (const { mark } of batch.values()) if (mark) return false
  return true
}

function createWaiting(apiKey: string, mark: TokenMark | undefined): Waiting {
  let resolve!: Waiting['resolve']
  let reject!: Waiting['reject']
  const promise = new Promise<KeyState | undefined>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { apiKey, mark, promise, resolve, reject }
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, expiry])
  } finally {
    clearTimeout(timer)
  }
}
