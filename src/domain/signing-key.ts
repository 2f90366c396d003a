/** The algorithms whose signatures anybody can verify (RFC 7518; RFC 8037 for EdDSA). */
export const keyAlgorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const
export type KeyAlgorithm = (typeof keyAlgorithms)[number]

/** With the one whose signatures only those can verify who could make them, too. */
export const signingAlgorithms = ['HS256', ...keyAlgorithms] as const
export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/**
 * `next`: published, so that everybody knows it before it signs. `current`: signs. `previous`: signs
 * no more, and its tokens are good until they expire. `retired`: its tokens are refused.
 */
export type SigningKeyState = 'next' | 'current' | 'previous' | 'retired'

export interface SigningKey {
  /** Thumbprint of the public key (RFC 7638). */
  kid: string
  algorithm: KeyAlgorithm
  state: SigningKeyState
  /** Seconds since the Unix epoch, as all of these. */
  createdAt: number
  /** From when on it signs; `null` while it is `next`. */
  activatedAt: number | null
  /** When another took its place. */
  replacedAt: number | null
  retiredAt: number | null
}

/**
 * Seconds from the moment that a key is published to the moment that it signs: by then every node has
 * looked for new keys, twice.
 */
export const publicationDelay = 5

/**
 * The key that signs at a moment. One that has just been made is not known everywhere yet, so the one
 * before it signs a little longer.
 *
 * @returns `undefined`: none, so the secret signs.
 */
export function signingKeyAt<K extends SigningKey>(keys: readonly K[], now: number): K | undefined {
  const current = keys.find((key) => key.state === 'current')
  if (!current || (current.activatedAt ?? 0) <= now) return current
  const previous = keys.filter((key) => key.state === 'previous')
  return previous.sort((a, b) => (b.replacedAt ?? 0) - (a.replacedAt ?? 0))[0]
}
