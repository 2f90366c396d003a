import type { KeyPair, RevocationReason } from '../domain/key-pair.js'
import type { KeyPairPolicy } from '../domain/key-pair-policy.js'

export interface KeyPairRow {
  id: number
  user_id: number
  name: string
  api_key: string
  secret_hash: string
  hash_scheme: string
  created_at: number
  last_used_at: number | null
  last_ip: string | null
  revoked_at: number | null
  revoked_by: number | null
  revoked_reason: string | null
  expires_at: number | null
  scopes: string | null
  networks: string | null
  description: string
  secret_version: number
  secret_used_at: number | null
  previous_hash: string | null
  previous_scheme: string | null
  previous_expires_at: number | null
  previous_used_at: number | null
  require_device: number | boolean
}

export function fromRow(row: KeyPairRow): KeyPair {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    apiKey: row.api_key,
    createdAt: Number(row.created_at),
    lastUsedAt: numberOrNull(row.last_used_at),
    lastIp: row.last_ip,
    revokedAt: numberOrNull(row.revoked_at),
    revokedBy: row.revoked_by,
    revokedReason: row.revoked_reason as RevocationReason | null,
    expiresAt: numberOrNull(row.expires_at),
    scopes: listOrNull(row.scopes),
    networks: listOrNull(row.networks),
    requireDevice: Boolean(row.require_device),
    description: row.description,
    secretVersion: row.secret_version,
    secretUsedAt: numberOrNull(row.secret_used_at),
    previousSecret:
      row.previous_expires_at === null
        ? null
        : {
            expiresAt: Number(row.previous_expires_at),
            usedAt: numberOrNull(row.previous_used_at),
          },
  }
}

export function policyColumns({
  expiresAt,
  scopes,
  networks,
  requireDevice,
  description,
}: Partial<KeyPairPolicy>) {
  return {
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(scopes !== undefined && { scopes: scopes?.join(' ') ?? null }),
    ...(networks !== undefined && { networks: networks?.join(' ') ?? null }),
    ...(requireDevice !== undefined && { require_device: requireDevice }),
    ...(description !== undefined && { description }),
  }
}

function numberOrNull(value: number | null): number | null {
  return value === null ? null : Number(value)
}

function listOrNull(value: string | null): string[] | null {
  return value === null ? null : value.split(' ')
}
