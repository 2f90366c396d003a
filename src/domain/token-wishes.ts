import { maxAddedClaims } from './added-claims.js'
import { maxDescriptionLength } from './key-pair-policy.js'
import { textProblem } from './text.js'

/** What a client may choose of its access token. What is absent is as for everybody. */
export interface TokenWishes {
  /** Lifetime in seconds. */
  expiresIn?: number | undefined
  /** The same as a moment, in seconds since the Unix epoch. */
  expiresAt?: number | undefined
  /** Whether a refresh token comes with it. */
  isRefreshable?: boolean | undefined
  /** Whether it can be revoked alone, and is therefore on the list of registered tokens. */
  isRevocable?: boolean | undefined
  /** Claims to add. */
  claims?: Readonly<Record<string, unknown>> | undefined
  /** For people, of a token that is on the list. */
  description?: string | undefined
}

/**
 * The parameters at fault, by what is wrong with them; empty if nothing is. How long a token may live
 * depends on its key-pair: see {@link wishedLifetime}.
 *
 * @param allowed The claims that clients may add.
 */
export function wishProblems(
  wishes: TokenWishes,
  allowed: readonly string[],
): Record<string, string> {
  const { expiresIn, expiresAt, claims, description, isRevocable } = wishes
  const problems: [string, string | undefined][] = [
    ['claims', claims && claimsProblem(claims, allowed)],
    ['description', description === undefined ? undefined : textOf(description, isRevocable)],
    [
      'expires_at',
      expiresIn !== undefined && expiresAt !== undefined
        ? 'must not be sent together with expires_in'
        : undefined,
    ],
  ]
  return Object.fromEntries(problems.filter((entry): entry is [string, string] => !!entry[1]))
}

function textOf(description: string, isRevocable = false): string | undefined {
  if (!isRevocable) return 'is kept of tokens with is_revocable only'
  return textProblem(description, maxDescriptionLength)
}

function claimsProblem(
  claims: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
): string | undefined {
  if (allowed.length === 0) return 'cannot be added: none are allowed here'
  const names = Object.keys(claims)
  if (!names.every((name) => allowed.includes(name))) {
    return `must be among ${allowed.join(', ')}`
  }
  return sizeOf(claims) <= maxAddedClaims ? undefined : `must be at most ${maxAddedClaims} bytes`
}

function sizeOf(claims: object): number {
  try {
    return Buffer.byteLength(JSON.stringify(claims))
  } catch {
    // Nested deeper than the stack is.
    return Infinity
  }
}

/**
 * @param longest Seconds that the token would live if nothing were wished.
 * @returns How long it is to live, or what is wrong with the wish, by its parameter.
 */
export function wishedLifetime(
  { expiresIn, expiresAt }: TokenWishes,
  issuedAt: number,
  longest: number,
): number | Record<string, string> {
  if (expiresIn !== undefined) {
    if (expiresIn < 1) return { expires_in: 'must be at least 1' }
    return expiresIn <= longest ? expiresIn : { expires_in: `must be at most ${longest}` }
  }
  if (expiresAt === undefined) return longest
  const lifetime = expiresAt - issuedAt
  if (lifetime < 1) return { expires_at: 'must be in the future' }
  return lifetime <= longest
    ? lifetime
    : { expires_at: `must be at most ${longest} seconds from now` }
}
