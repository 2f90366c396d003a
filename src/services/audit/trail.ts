import {
  auditEvent,
  type AuditEvent,
  type AuditKey,
  type NewAuditEvent,
  signEntry,
} from '../../domain/audit.js'
import type { Stores } from '../../store/index.js'

export interface AuditTrail {
  /**
   * Writes what a transaction does, as a part of it: both are there afterwards, or neither.
   *
   * @param tx The stores of the transaction.
   */
  write(tx: Pick<Stores, 'audit'>, ...events: readonly Omit<NewAuditEvent, 'at'>[]): Promise<void>
  /** Writes what changes nothing, and has been collected. */
  writeCollected(events: readonly AuditEvent[]): Promise<void>
}

export interface AuditTrailDeps {
  stores: Pick<Stores, 'audit'>
  key: AuditKey
  /** Called when there is something new to seal. */
  onWrite?: () => void
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createAuditTrail(deps: AuditTrailDeps): AuditTrail {
  const { stores, key, now, onWrite = () => {} } = deps
  return {
    async write(tx, ...events) {
      const at = now()
      await tx.audit.append(events.map((event) => signEntry(auditEvent({ ...event, at }), key)))
      onWrite()
    },
    async writeCollected(events) {
      await stores.audit.append(events.map((event) => signEntry(event, key)))
      onWrite()
    },
  }
}
