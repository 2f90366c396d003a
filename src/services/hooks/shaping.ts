import { addClaims } from '../../domain/added-claims.js'
import type { TokenClaims, TokenType } from '../../domain/access-token.js'
import { boundedLifetime } from '../../domain/key-pair-policy.js'
import type { SigningAlgorithm } from '../../domain/signing-key.js'
import type { HookContext, HookName, Hooks, IssueContext, TokenDialect } from '../../hooks.js'
import type { Logger } from '../../logger.js'
import type { Subject } from '../token-issuer.js'
import { asInteger } from './checked.js'
import type { HookRunner } from './runner.js'

/** What the hooks made of a token that is to be signed. */
export interface ShapedToken {
  claims: TokenClaims
  /** `undefined`: the one that signs by default. */
  algorithm?: SigningAlgorithm | undefined
}

export interface ShapeContext {
  type: TokenType
  dialect: TokenDialect
  subject: Subject
  /** What there is to sign with, the default first. */
  available: readonly SigningAlgorithm[]
  /** How long the token would live is all that is to be known: it is not made now. */
  isPlan?: boolean
}

/** @throws {ServiceError} 500 or 504: then no token is made. */
export type TokenShaper = (claims: TokenClaims, context: ShapeContext) => Promise<ShapedToken>

export interface ShapingDeps {
  hooks: Partial<Hooks>
  runner: HookRunner
  logger: Logger
  /** The issuer of tokens of usefulteam's namespace, as its hook gave it. */
  jwtAuthIssuer: string
}

/** Ten years, in seconds. */
const longest = 315_360_000

/** @returns The shapers of each dialect; absent where no hook is given, so that it costs nothing. */
export function createShapers(deps: ShapingDeps): Partial<Record<TokenDialect, TokenShaper>> {
  const { hooks } = deps
  const isWpShaped = hooks.tokenExpires || hooks.refreshTokenExpires || hooks.privateClaims
  const isJwtAuthShaped =
    hooks.jwtAuthIssuer ||
    hooks.jwtAuthNotBefore ||
    hooks.jwtAuthExpire ||
    hooks.jwtAuthRefreshExpire ||
    hooks.jwtAuthAlgorithm ||
    hooks.jwtAuthPayload
  const wordpress = createWpShaper(deps)
  return {
    ...(isWpShaped && { wordpress, oauth: wordpress }),
    ...(isJwtAuthShaped && { 'jwt-auth': createJwtAuthShaper(deps) }),
  }
}

function createWpShaper({ hooks, runner, logger }: ShapingDeps): TokenShaper {
  const merge = createMerger(logger)

  return async function shape(claims, given) {
    const context = issueContext(claims, given)
    const name = given.type === 'access' ? 'tokenExpires' : 'refreshTokenExpires'
    const hook = hooks[name]
    let shaped = claims
    if (hook) {
      const lifetime = await runner.run(
        name,
        (common) => hook(claims.exp - claims.iat, { ...context, ...common }),
        (seconds) => asInteger(seconds, 1, longest),
      )
      shaped = endingAt(shaped, claims.iat + lifetime, given)
    }
    if (given.isPlan) return { claims: shaped }
    return { claims: await addedBy('privateClaims', hooks, runner, merge, shaped, context) }
  }
}

function createJwtAuthShaper(deps: ShapingDeps): TokenShaper {
  const { hooks, runner, logger, jwtAuthIssuer } = deps
  const merge = createMerger(logger)

  return async function shape(claims, given) {
    const context = issueContext(claims, given)
    const { iat } = claims
    let shaped: TokenClaims = { ...claims, iss: jwtAuthIssuer }
    const name = given.type === 'access' ? 'jwtAuthExpire' : 'jwtAuthRefreshExpire'
    const expire = hooks[name]
    if (expire) {
      const exp = await runner.run(
        name,
        (common) => expire(claims.exp, { ...context, ...common }),
        (at) => asInteger(at, iat + 1, iat + longest),
      )
      shaped = endingAt(shaped, exp, given)
    }
    if (given.isPlan) return { claims: shaped }
    const { jwtAuthNotBefore: notBefore, jwtAuthAlgorithm: choose } = hooks
    if (notBefore) {
      const nbf = await runner.run(
        'jwtAuthNotBefore',
        (common) => notBefore(claims.nbf, { ...context, ...common }),
        (at) => asInteger(at, 0, iat + longest),
      )
      shaped = { ...shaped, nbf }
    }
    const { available } = given
    const algorithm =
      choose &&
      (await runner.run(
        'jwtAuthAlgorithm',
        (common) => choose(available[0] ?? 'HS256', { ...context, available, ...common }),
        (chosen) => {
          if (available.includes(chosen)) return chosen
          throw new TypeError(`There is no key for ${String(chosen)}: ${available.join(', ')}`)
        },
      ))
    shaped = await addedBy('jwtAuthPayload', hooks, runner, merge, shaped, context)
    return { claims: shaped, algorithm }
  }
}

async function addedBy(
  name: 'privateClaims' | 'jwtAuthPayload',
  hooks: Partial<Hooks>,
  runner: HookRunner,
  merge: Merger,
  claims: TokenClaims,
  context: Omit<IssueContext, keyof HookContext>,
): Promise<TokenClaims> {
  const hook = hooks[name]
  if (!hook) return claims
  return runner.run(
    name,
    // A copy: what the hook writes into it is not written into ours.
    (common) => hook(structuredClone(claims), { ...context, ...common }),
    (added) => merge(name, claims, added),
  )
}

type Merger = (name: HookName, claims: TokenClaims, added: unknown) => TokenClaims

/** Adds what is new, and says once of each reserved claim that it is not for this hook to change. */
function createMerger(logger: Logger): Merger {
  const warned = new Set<string>()
  return function merge(name, claims, added) {
    const { claims: merged, ignored } = addClaims(claims, added)
    for (const claim of ignored) {
      if (warned.has(claim)) continue
      warned.add(claim)
      logger.warn({ hook: name, claim }, 'a hook cannot change this claim; what it gave is ignored')
    }
    return merged
  }
}

/** No token outlives its key-pair, whatever a hook says. */
function endingAt(claims: TokenClaims, exp: number, { subject }: ShapeContext): TokenClaims {
  return { ...claims, exp: claims.iat + boundedLifetime(subject, exp - claims.iat, claims.iat) }
}

function issueContext(claims: TokenClaims, { type, dialect, subject }: ShapeContext) {
  const { user, apiKey, scopes } = subject
  return { type, dialect, user, apiKey, scopes, issuedAt: claims.iat }
}
