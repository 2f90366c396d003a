import { ServiceError } from '../errors.js'
import type { KeyState } from '../store/key-states.js'

export interface KeyStateReader {
  /**
   * The state of a key and its user, as it is now; `undefined` if there is no such key.
   *
   * The invariant everything rests on: *the read that answers a call starts after the call*. So a
   * revocation that was answered before a request arrived is always seen by it.
   *
   * @throws {ServiceError} `rest_service_unavailable` if this call's read failed or timed out.
   */
  read(apiKey: string): Promise<KeyState | undefined>
  /** @returns How many queries have been sent so far. */
  reads(): number
}

export interface KeyStateReaderOptions {
  /** One query for many keys. */
  readStates(apiKeys: readonly string[]): Promise<KeyState[]>
  /** Most keys in one query. */
  maxBatch?: number
  timeoutMs?: number
}

interface Waiting {
  promise: Promise<KeyState | undefined>
  resolve(state: KeyState | undefined): void
  reject(error: unknown): void
}

/**
 * Shares reads without ever caching one. Calls that come while a read is under way wait together for
 * the next, which asks for all their keys at once: a busy node sends one query a round trip instead
 * of one a request, and nobody is answered with a state older than their own arrival.
 */
export function createKeyStateReader(options: KeyStateReaderOptions): KeyStateReader {
  const { readStates, maxBatch = 500, timeoutMs = 2000 } = options
  /** Keys asked for since the last read began. */
  const waiting = new Map<string, Waiting>()
  let isReading = false
  let isScheduled = false
  let reads = 0

  // At the end of this turn of the event loop, so that all requests that arrived in it share a read.
  function schedule(): void {
    if (isReading || isScheduled) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      void readNext()
    })
  }

  async function readNext(): Promise<void> {
    isReading = true
    const batch = takeBatch()
    reads++
    try {
      const states = await withTimeout(readStates([...batch.keys()]), timeoutMs)
      for (const state of states) {
        batch.get(state.apiKey)?.resolve(state)
        batch.delete(state.apiKey)
      }
      for (const call of batch.values()) call.resolve(undefined)
    } catch (cause) {
      // Only this read's callers fail; whoever waits for the next has its own chance.
      const error = new ServiceError('rest_service_unavailable', { cause })
      for (const call of batch.values()) call.reject(error)
    } finally {
      isReading = false
      if (waiting.size > 0) schedule()
    }
  }

  function takeBatch(): Map<string, Waiting> {
    const batch = new Map<string, Waiting>()
    for (const [apiKey, call] of waiting) {
      if (batch.size === maxBatch) break
      batch.set(apiKey, call)
      waiting.delete(apiKey)
    }
    return batch
  }

  return {
    read(apiKey) {
      const known = waiting.get(apiKey)
      if (known) return known.promise
      const call = createWaiting()
      waiting.set(apiKey, call)
      schedule()
      return call.promise
    },
    reads: () => reads,
  }
}

function createWaiting(): Waiting {
  let resolve!: Waiting['resolve']
  let reject!: Waiting['reject']
  const promise = new Promise<KeyState | undefined>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
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
