/** An access token that can be revoked alone. The token itself is nowhere but with its client. */
export interface RegisteredToken {
  /** The claim `jti`. */
  tokenId: string
  keyPairId: number
  /** The name of the device that it was issued to, if it was. */
  device: string | null
  description: string
  /** Times are in seconds since the Unix epoch. */
  issuedAt: number
  expiresAt: number
  lastUsedAt: number | null
  lastIp: string | null
  revokedAt: number | null
}

/** Most of one key-pair that live. Whoever needs more is better served with devices or key-pairs. */
export const maxRegisteredTokens = 100

/** What a `jti` of ours can look like. */
export const tokenIdPattern = /^[\w.-]{1,64}$/
