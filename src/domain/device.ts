import { createHash, randomBytes } from 'node:crypto'

// A device is one installation of whatever uses a key-pair. Each has one chain of refresh tokens, in
// which every token replaces the one before it.

/** In characters. */
export const maxDeviceNameLength = 255
/** Of one key-pair, so that whoever has its secret cannot fill the database. */
export const maxDevices = 1000
export const maxUserAgentLength = 255

/** What decides about the tokens of a device. Times are seconds since the Unix epoch. */
export interface DeviceChain {
  /** How often the refresh token has been rotated: the one with this number is the good one. */
  generation: number
  /** When that one was issued: at the last rotation, or when the chain began. */
  issuedAt: number
  refreshExpiresAt: number
  /** Signed out, by whomever. Nothing turns an ended chain back. */
  endedAt: number | null
}

export interface Device extends DeviceChain {
  id: number
  keyPairId: number
  /** What its client calls it, as sent: `phone` and `Phone` are two. */
  name: string
  /** What its tokens name it by; another one whenever it starts over. */
  chain: string
  /** First use, also of the chains before this one. */
  createdAt: number
  /** When this chain began. */
  startedAt: number
  /** Of the secret that was exchanged then. */
  secretVersion: number
  lastUsedAt: number
  lastIp: string | null
  userAgent: string | null
  /** Who was given the refresh token that is good now. */
  issuedIp: string | null
  /** No token of the chain lives longer. */
  expiresAt: number
  endedBy: number | null
  endedReason: DeviceEnd | null
  /** The last time that a replaced refresh token was used once more. */
  incident: DeviceIncident | null
}

/** A copy of a refresh token is in other hands, or the device's own state went back in time. */
export interface DeviceIncident {
  at: number
  /** Who came with the replaced token. */
  ip: string | null
  /** Who had been given its successor. */
  issuedIp: string | null
}

/** `surrendered`: its own client ended it, at `/oauth2/revoke`. */
export const deviceEnds = ['signed_out', 'surrendered', 'reused'] as const
export type DeviceEnd = (typeof deviceEnds)[number]

export type RefreshDecision = 'rotate' | 'repeat' | 'reused' | 'ended' | 'expired'

/**
 * What is to be done with a refresh token of a chain.
 *
 * @param generation The token's.
 * @param grace For how many seconds after a rotation the token before it is answered with the very same
 *   successor: the answer may have been lost, or two threads may have asked at once.
 */
export function decideRefresh(
  chain: DeviceChain,
  generation: number | undefined,
  grace: number,
  now: number,
): RefreshDecision {
  if (chain.endedAt !== null) return 'ended'
  // A number that is still to come means that the database has been set back: nobody can tell who is
  // the rightful holder, so it is treated as the number of the past that it will be.
  if (generation !== chain.generation) {
    const isPredecessor = generation === chain.generation - 1
    return isPredecessor && now - chain.issuedAt < grace ? 'repeat' : 'reused'
  }
  return chain.refreshExpiresAt <= now ? 'expired' : 'rotate'
}

/** @returns A new chain's name: 22 characters of base64url (128 bits). */
export function generateChain(): string {
  return randomBytes(16).toString('base64url')
}

/** Names are compared by this, byte for byte. */
export function hashDeviceName(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}

/**
 * The `jti` of a refresh token of a device. Made from what there is, so that asking twice for the same
 * successor gives the same token.
 */
export function refreshTokenId(chain: string, generation: number): string {
  return `${chain}.${generation}`
}
