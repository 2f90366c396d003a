import type { Asker } from '../domain/actor.js'
import { doneBy } from '../domain/audit.js'
import type { Revocation } from '../store/key-pairs.js'
import type { Stores } from '../store/index.js'
import type { AuditTrail } from './audit/trail.js'

/** What a revocation works on: the stores of a transaction, and the trail that it leaves. */
export interface RevocationDeps {
  tx: Stores
  audit: AuditTrail
  /** Seconds since the Unix epoch. */
  at: number
}

/** @returns Whether this call revoked it. */
export async function revokePair(
  { tx, audit, at }: RevocationDeps,
  asker: Asker,
  userId: number,
  apiKey: string,
): Promise<boolean> {
  const revocation: Revocation = { at, by: idOf(asker), reason: 'revoked' }
  if (!(await tx.keyPairs.revoke(userId, apiKey, revocation))) return false
  const event = { ...doneBy(asker), action: 'key_pair.revoked', userId, apiKey } as const
  await audit.write(tx, { ...event, reason: 'revoked' })
  return true
}

/** @returns How many this call revoked. Each has an entry of its own in the audit log. */
export async function revokePairs(
  { tx, audit, at }: RevocationDeps,
  asker: Asker,
  userId: number,
  reason: Revocation['reason'],
): Promise<number> {
  const apiKeys = await tx.keyPairs.lockAlive(userId)
  const revoked = await tx.keyPairs.revokeAll(userId, { at, by: idOf(asker), reason })
  const event = { ...doneBy(asker), action: 'key_pair.revoked', userId, reason } as const
  await audit.write(tx, ...apiKeys.map((apiKey) => ({ ...event, apiKey })))
  return revoked
}

function idOf(asker: Asker): number | null {
  return asker.kind === 'operator' ? null : asker.user.id
}
