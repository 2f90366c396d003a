import type { Device, DeviceEnd } from '../domain/device.js'

export interface DeviceRow {
  id: number
  key_pair_id: number
  name: string
  name_hash: string
  chain: string
  generation: number
  issued_at: number
  refresh_expires_at: number
  issued_ip: string | null
  expires_at: number
  created_at: number
  started_at: number
  secret_version: number
  last_used_at: number
  last_ip: string | null
  user_agent: string | null
  ended_at: number | null
  ended_by: number | null
  ended_reason: string | null
  incident_at: number | null
  incident_ip: string | null
  incident_issued_ip: string | null
}

export function deviceFromRow(row: DeviceRow): Device {
  return {
    id: row.id,
    keyPairId: row.key_pair_id,
    name: row.name,
    chain: row.chain,
    generation: row.generation,
    issuedAt: Number(row.issued_at),
    issuedIp: row.issued_ip,
    refreshExpiresAt: Number(row.refresh_expires_at),
    expiresAt: Number(row.expires_at),
    createdAt: Number(row.created_at),
    startedAt: Number(row.started_at),
    secretVersion: row.secret_version,
    lastUsedAt: Number(row.last_used_at),
    lastIp: row.last_ip,
    userAgent: row.user_agent,
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
    endedBy: row.ended_by,
    endedReason: row.ended_reason as DeviceEnd | null,
    incident:
      row.incident_at === null
        ? null
        : {
            at: Number(row.incident_at),
            ip: row.incident_ip,
            issuedIp: row.incident_issued_ip,
          },
  }
}
