import type { TokenClaims } from './access-token.js'

// The compiler holds these lists complete: a claim that Twinkey writes is never somebody else's.

const reserved = {
  iss: true,
  sub: true,
  aud: true,
  exp: true,
  nbf: true,
  iat: true,
  jti: true,
  client_id: true,
  scope: true,
  data: true,
} satisfies Record<keyof TokenClaims, true>

const reservedOfUser = {
  id: true,
  type: true,
  user_login: true,
  user_email: true,
  api_key: true,
  token_type: true,
  secret_version: true,
  device: true,
  device_chain: true,
  device_rotation: true,
  revocable: true,
} satisfies Record<keyof TokenClaims['data']['user'], true>

/** Whether it is one of the claims that Twinkey writes itself. */
export function isReservedClaim(name: string): boolean {
  return Object.hasOwn(reserved, name)
}

/** Most that may be added, in bytes of JSON: tokens travel in headers, and long ones are refused. */
export const maxAddedClaims = 2048

export interface AddedClaims {
  claims: TokenClaims
  /** Reserved claims that `given` would have changed, e.g. `data.user.api_key`. */
  ignored: string[]
}

/**
 * @param given The claims to add: the whole payload, or just what is new.
 * @returns `claims` with what `given` has beside the reserved ones.
 * @throws {TypeError} if it is no JSON object, or too much.
 */
export function addClaims(claims: TokenClaims, given: unknown): AddedClaims {
  const wanted = plainObject(given)
  const wantedData = wanted.data === undefined ? {} : plainObject(wanted.data)
  const wantedUser = wantedData.user === undefined ? {} : plainObject(wantedData.user)
  const ignored: string[] = []

  function pick(from: Record<string, unknown>, kept: object, own: object, prefix: string) {
    const added: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(from)) {
      if (!Object.hasOwn(kept, name)) added[name] = value
      else if (!isEqual(value, (own as Record<string, unknown>)[name])) ignored.push(prefix + name)
    }
    return added
  }

  const { data, ...rest } = wanted
  const { user, ...restOfData } = wantedData
  const top = pick(rest, reserved, claims, '')
  const inData = pick(restOfData, {}, claims.data, 'data.')
  const inUser = pick(wantedUser, reservedOfUser, claims.data.user, 'data.user.')
  if (Buffer.byteLength(JSON.stringify([top, inData, inUser])) > maxAddedClaims) {
    throw new TypeError(`The claims that were added are more than ${maxAddedClaims} bytes`)
  }
  return {
    claims: { ...top, ...claims, data: { ...inData, user: { ...inUser, ...claims.data.user } } },
    ignored,
  }
}

/** A copy of what JSON has of it; no own property of it can be `__proto__`. */
function plainObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('Claims must be an object')
  }
  const { ['__proto__']: _, ...copy } = JSON.parse(JSON.stringify(value)) as Record<string, unknown>
  return copy
}

function isEqual(given: unknown, own: unknown): boolean {
  return JSON.stringify(given) === JSON.stringify(own)
}
