import { type AuditKey, signStatement, system } from '../../domain/audit.js'
import type { Stores } from '../../store/index.js'
import type { AuditTrail } from './trail.js'

export interface PurgeDeps {
  stores: Stores
  trail: AuditTrail
  key: AuditKey
  /** Seconds since the Unix epoch. */
  now: () => number
}

/**
 * Deletes what is older than it has to be kept, from the beginning of the chain up to a checkpoint.
 * That checkpoint stays as the anchor of what is left, and is signed as such: whoever can only write
 * to the database cannot make deleted entries look purged.
 *
 * @param before Seconds since the Unix epoch.
 * @returns How many entries.
 */
export async function purgeAuditLog(
  { stores, trail, key, now }: PurgeDeps,
  before: number,
): Promise<number> {
  const old = (await stores.audit.listStatements()).filter(
    ({ kind, at }) => kind === 'checkpoint' && at < before,
  )
  let purged = 0
  // One after another: a transaction that deletes a year at once would hold everybody up.
  for (const { seq, hash } of old) {
    purged += await stores.transaction(async (tx) => {
      await tx.audit.lockHead()
      await tx.audit.saveStatement(signStatement('anchor', { seq, hash }, now(), key))
      const entries = await tx.audit.purge(seq)
      if (entries > 0) {
        const details = { entries, through: seq }
        await trail.write(tx, { action: 'audit.purged', actor: system, details })
      }
      return entries
    })
  }
  return purged
}
