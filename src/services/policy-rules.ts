import type { Actor } from '../domain/actor.js'
import type { KeyPair } from '../domain/key-pair.js'
import {
  type DefinedScope,
  type KeyPairPolicy,
  openPolicy,
  policyProblems,
} from '../domain/key-pair-policy.js'
import { isAdministrator } from '../domain/user.js'
import { invalidParameters } from '../errors.js'

/** What somebody may choose from. */
export interface PolicyChoices {
  scopes: readonly DefinedScope[]
  /** Longest life of a key-pair from its minting, in seconds; `undefined`: any. */
  maxLifetime: number | undefined
}

export interface PolicyRules {
  choices(actor: Actor): PolicyChoices
  /**
   * @param requested Who says nothing of an expiry gets the latest that they may have.
   * @throws {ServiceError} `rest_invalid_param`
   */
  forMint(actor: Actor, requested: Partial<KeyPairPolicy>): KeyPairPolicy
  /** @throws {ServiceError} `rest_invalid_param` */
  forChange(
    actor: Actor,
    keyPair: KeyPair,
    requested: Partial<KeyPairPolicy>,
  ): Partial<KeyPairPolicy>
}

export interface PolicyRulesDeps {
  scopes: readonly DefinedScope[]
  /** Of the key-pairs that others than administrators make. */
  maxLifetime: number | undefined
  /** Seconds since the Unix epoch. */
  now: () => number
}

/** What may be asked of a key-pair's policy here, and by whom. */
export function createPolicyRules({ scopes, maxLifetime, now }: PolicyRulesDeps): PolicyRules {
  function choices(actor: Actor): PolicyChoices {
    const isFree = actor.kind === 'operator' || isAdministrator(actor.user)
    return { scopes, maxLifetime: isFree ? undefined : maxLifetime }
  }

  function accept<T extends Partial<KeyPairPolicy>>(
    actor: Actor,
    requested: T,
    current: KeyPair | undefined,
  ): T {
    const problems = policyProblems(requested, {
      now: now(),
      createdAt: current?.createdAt ?? now(),
      current,
      defined: scopes,
      maxLifetime: choices(actor).maxLifetime,
    })
    if (Object.keys(problems).length > 0) throw invalidParameters(problems)
    return {
      ...requested,
      ...(requested.scopes && { scopes: [...new Set(requested.scopes)] }),
      ...(requested.networks && { networks: [...new Set(requested.networks)] }),
    }
  }

  return {
    choices,
    forMint(actor, requested) {
      const longest = choices(actor).maxLifetime
      const expiresAt = longest === undefined ? null : now() + longest
      return accept(actor, { ...openPolicy, expiresAt, ...requested }, undefined)
    },
    forChange: (actor, keyPair, requested) => accept(actor, requested, keyPair),
  }
}
