// What is wrong with a token that was refused, in the words of the library that usefulteam/jwt-auth
// decodes tokens with: its clients show them, and some look at them. Nothing is decided here.

/** What that library knows. Ours is one of them. */
const knownAlgorithms = new Set([
  'EdDSA',
  'ES256',
  'ES256K',
  'ES384',
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
])

/** @returns What can be seen without a key; `undefined` if that is nothing. */
export function formFault(token: string): string | undefined {
  const segments = token.split('.')
  if (segments.length !== 3) return 'Wrong number of segments'
  const [header, payload] = segments.map(parseSegment)
  if (!header) return 'Invalid header encoding'
  if (!payload) return 'Invalid claims encoding'
  const { alg, kid } = header
  if (alg === undefined || alg === null || alg === '') return 'Empty algorithm'
  if (typeof alg !== 'string' || !knownAlgorithms.has(alg)) return 'Algorithm not supported'
  // A token that names a key is of that key's algorithm, or its signature is not good.
  return alg === 'HS256' || kid !== undefined ? undefined : 'Incorrect key for this algorithm'
}

/**
 * @param token Times in seconds since the Unix epoch.
 * @returns Why it is not good now, if it is its time that is not.
 */
export function timeFault(
  token: {
    notBefore: number | undefined
    issuedAt: number | undefined
    expiresAt: number | undefined
  },
  now: number,
): string | undefined {
  for (const time of [token.notBefore, token.issuedAt]) {
    if (time !== undefined && time > now) return `Cannot handle token prior to ${isoTime(time)}`
  }
  return token.expiresAt !== undefined && token.expiresAt <= now ? expiredToken : undefined
}

export const expiredToken = 'Expired token'

function parseSegment(segment: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString())
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** As PHP writes it: `2026-11-23T14:54:00+0000`. */
function isoTime(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000)
  // Signed by us or not: a number may be beyond any calendar.
  if (Number.isNaN(date.getTime())) return String(seconds)
  return date.toISOString().replace(/\.\d+Z$/, '+0000')
}
