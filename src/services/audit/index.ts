import { deriveAuditKey } from '../../domain/audit.js'
import type { Logger } from '../../logger.js'
import type { Stores } from '../../store/index.js'
import { type AuditRecorder, createAuditRecorder } from './recorder.js'
import { type AuditSealer, createAuditSealer } from './sealer.js'
import { type AuditTrail, createAuditTrail } from './trail.js'

/** The audit log: written with each change, sealed shortly afterwards. */
export interface Audit {
  trail: AuditTrail
  sealer: AuditSealer
  recorder: AuditRecorder
  /** Writes and seals what this node still has. */
  close(): Promise<void>
}

export interface AuditDeps {
  stores: Stores
  /** The HMAC secret that signs tokens: the audit log's own key is derived from it. */
  jwtSecret: string
  logger: Logger
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createAudit({ stores, jwtSecret, logger, now }: AuditDeps): Audit {
  const key = deriveAuditKey(jwtSecret)
  const sealer = createAuditSealer({ stores, key, logger, now })
  const trail = createAuditTrail({ stores, key, now, onWrite: sealer.wake })
  const recorder = createAuditRecorder({ trail, logger, now })
  return {
    trail,
    sealer,
    recorder,
    async close() {
      await recorder.close()
      await sealer.close()
    },
  }
}
