import { setImmediate as turn } from 'node:timers/promises'
import type { Logger } from '../logger.js'
import type { DailyUsage } from '../store/key-pair-usage.js'
import type { SecretUse, Use } from '../store/key-pairs.js'
import type { TokenUse } from '../store/registered-tokens.js'
import { createLru } from './lru.js'
import { takeFirst } from './take-first.js'

export interface UsageRecorder {
  /** An exchange or a refresh. */
  record(use: Use): void
  /** A request with a bearer token: recorded at most once a minute a key. */
  recordBearer(use: Use): void
  /** Writes what has been collected; called about once a second, and at shutdown. */
  flush(): Promise<void>
  /** How many entries wait to be written. */
  backlog(): number
  close(): Promise<void>
}

export interface UsageRecorderOptions {
  recordUses(uses: readonly Use[]): Promise<void>
  /** Which secrets of the pairs were used. */
  recordSecretUses?(uses: readonly SecretUse[]): Promise<void>
  /** Which registered tokens were used. */
  recordTokenUses?(uses: readonly TokenUse[]): Promise<void>
  /** Adds to the counts of exchanges and refreshes a key-pair and day. */
  addDailyUsage?(usage: readonly DailyUsage[]): Promise<void>
  logger: Logger
  intervalMs?: number
}

/** More in one statement takes the database more than as much longer. */
const maxPerStatement = 100
/** While the database is away, newer uses of other keys are dropped beyond this. */
const maxPending = 50_000
const bearerInterval = 60
/** Of whom it is known when they were last recorded. */
const mostRemembered = 100_000
const secondsPerDay = 86_400

/**
 * Keeps "last used" off the hot path: uses are collected in memory and written in one statement. A
 * crash loses at most the last second of them, and nothing else.
 */
export function createUsageRecorder(options: UsageRecorderOptions): UsageRecorder {
  const { recordUses, recordSecretUses, recordTokenUses, addDailyUsage, logger } = options
  const { intervalMs = 1000 } = options
  const pending = new Map<number, Use>()
  /** By key-pair and version: both secrets of a pair may have been used. */
  const pendingSecrets = new Map<string, SecretUse>()
  const pendingTokens = new Map<string, TokenUse>()
  const lastOfToken = createLru<string, number>(mostRemembered)
  /** Exchanges not yet written, by key-pair and day. */
  const counts = new Map<string, DailyUsage>()
  const lastBearer = createLru<number, number>(mostRemembered)
  let flushing: Promise<void> = Promise.resolve()

  function keep(use: Use): void {
    if (pending.size < maxPending || pending.has(use.keyPairId)) pending.set(use.keyPairId, use)
  }

  function keepSecret({ keyPairId, secretVersion, at }: Use): void {
    if (!recordSecretUses || secretVersion === undefined) return
    const name = `${keyPairId}:${secretVersion}`
    if (pendingSecrets.size < maxPending || pendingSecrets.has(name)) {
      pendingSecrets.set(name, { keyPairId, secretVersion, at })
    }
  }

  function keepToken({ tokenId, at, ip }: Use): void {
    if (!recordTokenUses || tokenId === undefined) return
    const last = lastOfToken.get(tokenId)
    if (last !== undefined && at - last < bearerInterval) return
    if (pendingTokens.size >= maxPending && !pendingTokens.has(tokenId)) return
    lastOfToken.set(tokenId, at)
    pendingTokens.set(tokenId, { tokenId, at, ip })
  }

  function count({ keyPairId, day, exchanges }: DailyUsage): void {
    const name = `${keyPairId}:${day}`
    const known = counts.get(name)
    if (known) known.exchanges += exchanges
    else if (counts.size < maxPending) counts.set(name, { keyPairId, day, exchanges })
  }

  /**
   * Writes what has been collected so far, a statement at a time. Between them requests have their turn: an
   * embedded database does its work in this very thread.
   *
   * @param putBack What could not be written, unless something newer has come.
   */
  async function writeAll<Name, Entry>(
    collected: Map<Name, Entry>,
    write: ((entries: readonly Entry[]) => Promise<void>) | undefined,
    putBack: (name: Name, entry: Entry) => void,
  ): Promise<void> {
    if (!write) return
    for (let left = collected.size; left > 0; left -= maxPerStatement) {
      const batch = takeFirst(collected, Math.min(left, maxPerStatement))
      try {
        await write(batch.map(([, entry]) => entry))
      } catch (err) {
        for (const [name, entry] of batch) putBack(name, entry)
        logger.warn({ err }, 'use of key-pairs could not be recorded; will try again')
        return
      }
      await turn()
    }
  }

  async function writeEverything(): Promise<void> {
    await writeAll(pending, recordUses, (id, use) => pending.has(id) || keep(use))
    await writeAll(pendingSecrets, recordSecretUses, (name, use) => {
      if (!pendingSecrets.has(name)) pendingSecrets.set(name, use)
    })
    await writeAll(pendingTokens, recordTokenUses, (id, use) => {
      if (!pendingTokens.has(id)) pendingTokens.set(id, use)
    })
    await writeAll(counts, addDailyUsage, (_, usage) => count(usage))
  }

  const recorder: UsageRecorder = {
    record(use) {
      keep(use)
      keepSecret(use)
      const day = Math.floor(use.at / secondsPerDay)
      if (addDailyUsage) count({ keyPairId: use.keyPairId, day, exchanges: 1 })
    },
    recordBearer(use) {
      keepSecret(use)
      keepToken(use)
      const last = lastBearer.get(use.keyPairId)
      if (last !== undefined && use.at - last < bearerInterval) return
      lastBearer.set(use.keyPairId, use.at)
      keep(use)
    },
    flush() {
      flushing = flushing.then(writeEverything)
      return flushing
    },
    backlog: () => pending.size + pendingSecrets.size + pendingTokens.size + counts.size,
    async close() {
      clearInterval(timer)
      await recorder.flush()
    },
  }
  const timer = setInterval(() => {
    if (recorder.backlog() > 0) void recorder.flush()
  }, intervalMs)
  timer.unref()
  return recorder
}
