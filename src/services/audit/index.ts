import { type AuditSeal, deriveAuditKey } from '../../domain/audit.js'
import type { Logger } from '../../logger.js'
import type { Stores } from '../../store/index.js'
import { purgeAuditLog } from './purge.js'
import { type AuditReader, createAuditReader } from './reader.js'
import { type AuditRecorder, createAuditRecorder } from './recorder.js'
import { type AuditSealer, createAuditSealer } from './sealer.js'
import { type AuditTrail, createAuditTrail } from './trail.js'
import { type AuditVerdict, verifyAuditLog } from './verifier.js'

/** The audit log: written with each change, sealed shortly afterwards. */
export interface Audit {
  trail: AuditTrail
  sealer: AuditSealer
  recorder: AuditRecorder
  reader: AuditReader
  /**
   * Looks for whatever in the log is not as the service wrote it.
   *
   * @param secrets That were JWT_SECRET before.
   * @param expected Where the chain once ended, as a verification of then said.
   */
  verify(options?: {
    secrets?: readonly string[]
    expected?: AuditSeal | undefined
  }): Promise<AuditVerdict>
  /** Deletes what need not be kept any more. @returns How many entries. */
  purge(): Promise<number>
  /** Writes and seals what this node still has. */
  close(): Promise<void>
}

export interface AuditDeps {
  stores: Stores
  /** The HMAC secret that signs tokens: the audit log's own key is derived from it. */
  jwtSecret: string
  /** Seconds for which entries are kept; `undefined`: for ever. */
  retention: number | undefined
  logger: Logger
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createAudit({ stores, jwtSecret, retention, logger, now }: AuditDeps): Audit {
  const key = deriveAuditKey(jwtSecret)
  const sealer = createAuditSealer({ stores, key, logger, now })
  const trail = createAuditTrail({ stores, key, now, onWrite: sealer.wake })
  const recorder = createAuditRecorder({ trail, logger, now })
  return {
    trail,
    sealer,
    recorder,
    reader: createAuditReader({ store: stores.audit, flush: recorder.flush }),
    verify({ secrets = [], expected } = {}) {
      const keys = [key, ...secrets.map(deriveAuditKey)]
      return verifyAuditLog({ store: stores.audit, keys, expected })
    },
    async purge() {
      if (retention === undefined) return 0
      return purgeAuditLog({ stores, trail, key, now }, now() - retention)
    },
    async close() {
      await recorder.close()
      await sealer.close()
    },
  }
}
