import type { Actor } from '../domain/actor.js'
import { hasSecondFactor, isStepUpFresh } from '../domain/second-factor.js'
import type { ErrorCode } from '../errors.js'
import type { Stores } from '../store/index.js'

/** What an administrator wants a second factor for, of everybody. */
export type SecondFactorPolicy = 'off' | 'minting'

export interface StepUpRule {
  /**
   * Whether this browser has proven the second factor lately, if its user has one. The operator at the
   * command line is asked for none.
   *
   * @param tx Stores of the transaction in which the answer is to hold.
   * @returns Why the actor may not go on, or `undefined`.
   */
  refusal(tx: Stores, actor: Actor): Promise<ErrorCode | undefined>
  /** The same for handing out a secret of `userId`, where a second factor may be required. */
  refusalToMint(tx: Stores, actor: Actor, userId: number): Promise<ErrorCode | undefined>
}

export interface StepUpRuleDeps {
  policy: SecondFactorPolicy
  /** Seconds since the Unix epoch. */
  now: () => number
}

export function createStepUpRule({ policy, now }: StepUpRuleDeps): StepUpRule {
  async function examine(tx: Stores, actor: Actor) {
    if (actor.kind === 'operator') return { refusal: undefined, isDone: true }
    const session = (await tx.sessions.find(actor.sessionId))?.session
    if (!session) return { refusal: 'rest_not_logged_in', isDone: true } as const
    const factors = await tx.secondFactors.find(actor.user.id)
    if (!hasSecondFactor(factors)) return { refusal: undefined, isDone: false, factors }
    if (isStepUpFresh(session.secondFactorAt, now())) return { refusal: undefined, isDone: true }
    return { refusal: 'rest_authentication_step_up_required', isDone: true } as const
  }

  return {
    async refusal(tx, actor) {
      return (await examine(tx, actor)).refusal
    },

    async refusalToMint(tx, actor, userId) {
      const { refusal, isDone, factors } = await examine(tx, actor)
      if (isDone) return refusal
      // Whoever has none. The owner's duty binds an administrator who mints for them, too.
      const isRequired =
        policy === 'minting' ||
        factors?.isRequired ||
        (await tx.secondFactors.find(userId)).isRequired
      return isRequired ? 'rest_authentication_second_factor_missing' : undefined
    },
  }
}
