import type { Logger } from '../logger.js'
import type { DailyUsage } from '../store/key-pair-usage.js'
import type { SecretUse, Use } from '../store/key-pairs.js'
import type { TokenUse } from '../store/registered-tokens.js'
import { createLru } from './lru.js'

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

const maxPerStatement = 500
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

  async function writeCounts(): Promise<void> {
    while (addDailyUsage && counts.size > 0) {
      const batch = [...counts].slice(0, maxPerStatement)
      for (const [name] of batch) counts.delete(name)
      try {
        await addDailyUsage(batch.map(([, usage]) => usage))
      } catch (error) {
        for (const [, usage] of batch) count(usage)
        logger.warn({ err: error }, 'usage could not be counted; will try again')
        return
      }
    }
  }

  async function writeSecretUses(): Promise<void> {
    while (recordSecretUses && pendingSecrets.size > 0) {
      const batch = [...pendingSecrets].slice(0, maxPerStatement)
      for (const [name] of batch) pendingSecrets.delete(name)
      try {
        await recordSecretUses(batch.map(([, use]) => use))
      } catch (error) {
        for (const [name, use] of batch)
          if (!pendingSecrets.has(name)) pendingSecrets.set(name, use)
        logger.warn({ err: error }, 'use of secrets could not be recorded; will try again')
        return
      }
    }
  }

  async function writeTokenUses(): Promise<void> {
    while (recordTokenUses && pendingTokens.size > 0) {
      const batch = [...pendingTokens.values()].slice(0, maxPerStatement)
      for (const use of batch) pendingTokens.delete(use.tokenId)
      try {
        await recordTokenUses(batch)
      } catch (error) {
        for (const use of batch)
          if (!pendingTokens.has(use.tokenId)) pendingTokens.set(use.tokenId, use)
        logger.warn({ err: error }, 'use of tokens could not be recorded; will try again')
        return
      }
    }
  }

  async function writeUses(): Promise<void> {
    while (pending.size > 0) {
      const batch = [...pending.values()].slice(0, maxPerStatement)
      for (const use of batch) pending.delete(use.keyPairId)
      try {
        await recordUses(batch)
      } catch (error) {
        for (const use of batch) if (!pending.has(use.keyPairId)) keep(use)
        logger.warn({ err: error }, 'last use could not be recorded; will try again')
        return
      }
    }
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
      flushing = flushing
        .then(writeUses)
        .then(writeSecretUses)
        .then(writeTokenUses)
        .then(writeCounts)
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
