import type { AuditEntry } from './audit.js'

/** An entry as the REST API and the command line give it. */
export function presentAuditEntry(
  entry: AuditEntry & { id: number; seq: number | null; hash: string | null },
) {
  return {
    id: entry.id,
    at: new Date(entry.at * 1000).toISOString().replace('.000Z', 'Z'),
    action: entry.action,
    outcome: entry.outcome,
    actor: entry.actor.kind,
    actor_id: entry.actor.id,
    actor_login: entry.actor.name,
    user_id: entry.userId,
    api_key: entry.apiKey,
    ip: entry.ip,
    user_agent: entry.userAgent,
    request_id: entry.requestId,
    reason: entry.reason,
    times: entry.times,
    details: entry.details,
    seq: entry.seq,
    hash: entry.hash,
  }
}
