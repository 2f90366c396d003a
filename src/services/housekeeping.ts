import type { Logger } from '../logger.js'
import type { Stores } from '../store/index.js'

export interface Housekeeping {
  /** Deletes what nothing can refer to any more. */
  run(): Promise<void>
  close(): void
}

/** The profile page shows thirty days; one more for whoever sits west of Greenwich. */
export const usageDays = 30
const keptUsageDays = usageDays + 2

/** Seconds for which an owner can see that a refresh token was used twice, at least. */
const keptIncidents = 30 * 86_400

export interface HousekeepingDeps {
  stores: Stores
  /** Deletes what of the audit log need not be kept. */
  purgeAudit(): Promise<number>
  /** Longest life of any token, in seconds: a revoked pair is kept until none can name it. */
  tokenLifetime: number
  now: () => number
  logger: Logger
  intervalMs?: number
}

export function createHousekeeping(deps: HousekeepingDeps): Housekeeping {
  const { stores, purgeAudit, tokenLifetime, now, logger, intervalMs = 60 * 60 * 1000 } = deps
  async function run(): Promise<void> {
    try {
      const sessions = await stores.sessions.purgeExpired(now())
      const keyPairs = await stores.keyPairs.purgeRevoked(now() - tokenLifetime)
      const devices = await stores.devices.purge(now(), now() - keptIncidents)
      const tokens = await stores.registeredTokens.purgeExpired(now())
      const usage = await stores.keyPairUsage.purge(Math.floor(now() / 86_400) - keptUsageDays)
      const rateLimits = await stores.rateLimits.purgeExpired(now())
      const proofs = await stores.pendingProofs.purgeExpired(now())
      const audit = await purgeAudit()
      const counts = { sessions, keyPairs, devices, tokens, usage, rateLimits, proofs, audit }
      logger.debug(counts, 'expired rows deleted')
    } catch (error) {
      logger.warn({ err: error }, 'housekeeping failed; will try again')
    }
  }
  const timer = setInterval(() => void run(), intervalMs)
  timer.unref()
  return { run, close: () => clearInterval(timer) }
}
