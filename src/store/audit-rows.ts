import type {
  AuditAction,
  AuditActorKind,
  AuditDetails,
  AuditEntry,
  AuditOutcome,
} from '../domain/audit.js'

export interface AuditRow {
  id: number
  uid: string
  at: number
  action: string
  outcome: string
  actor_kind: string
  actor_id: number | null
  actor_name: string | null
  user_id: number | null
  api_key: string | null
  ip: string | null
  user_agent: string | null
  request_id: string | null
  reason: string | null
  times: number
  details: string
  key_id: string
  mac: string
  seq: number | null
  hash: string | null
}

/** An entry as it stands in the database. */
export interface AuditRecord extends AuditEntry {
  id: number
  /** `null` until it has its place in the chain. */
  seq: number | null
  hash: string | null
}

export function rowOf(entry: AuditEntry): Omit<AuditRow, 'id' | 'seq' | 'hash'> {
  return {
    uid: entry.uid,
    at: entry.at,
    action: entry.action,
    outcome: entry.outcome,
    actor_kind: entry.actor.kind,
    actor_id: entry.actor.id,
    actor_name: entry.actor.name,
    user_id: entry.userId,
    api_key: entry.apiKey,
    ip: entry.ip,
    user_agent: entry.userAgent,
    request_id: entry.requestId,
    reason: entry.reason,
    times: entry.times,
    details: JSON.stringify(entry.details),
    key_id: entry.keyId,
    mac: entry.mac,
  }
}

export function recordOf(row: AuditRow): AuditRecord {
  return {
    id: Number(row.id),
    uid: row.uid,
    at: Number(row.at),
    action: row.action as AuditAction,
    outcome: row.outcome as AuditOutcome,
    actor: { kind: row.actor_kind as AuditActorKind, id: row.actor_id, name: row.actor_name },
    userId: row.user_id,
    apiKey: row.api_key,
    ip: row.ip,
    userAgent: row.user_agent,
    requestId: row.request_id,
    reason: row.reason,
    times: row.times,
    details: detailsOf(row.details),
    keyId: row.key_id,
    mac: row.mac,
    seq: row.seq === null ? null : Number(row.seq),
    hash: row.hash,
  }
}

/** Somebody may have written anything into the column: then the entry is not genuine, and is shown. */
function detailsOf(text: string): AuditDetails {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as AuditDetails
  } catch {
    // Shown as it stands, below.
  }
  return { unreadable: text.slice(0, 255) }
}
