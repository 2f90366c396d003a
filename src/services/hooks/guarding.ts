import { ServiceError } from '../../errors.js'
import type { GuardedRequest, HookContext, Hooks } from '../../hooks.js'
import { asBoolean, asFate } from './checked.js'
import type { HookRunner } from './runner.js'

export type AskedRequest = Omit<GuardedRequest, keyof HookContext>

/** What hooks say of requests to APIs that are not Twinkey's own. */
export interface GuardHooks {
  /**
   * `required`: it must bring a token. `optional`: it may. `ignored`: it is not looked at.
   *
   * @throws {ServiceError} 500 or 504.
   */
  needOf(isRequired: boolean, request: AskedRequest): Promise<'required' | 'optional' | 'ignored'>
  /**
   * @returns The failure to answer with; `undefined`: the request passes as one without a token.
   * @throws {ServiceError} 500 or 504.
   */
  fateOf(refusal: ServiceError, request: AskedRequest): Promise<ServiceError | undefined>
}

/** @returns `undefined` where no hook is given. */
export function createGuardHooks(
  hooks: Partial<Hooks>,
  runner: HookRunner,
): GuardHooks | undefined {
  const { isRestRequest, requireToken, invalidToken } = hooks
  if (!isRestRequest && !requireToken && !invalidToken) return undefined
  return {
    async needOf(isRequired, request) {
      const isRest =
        !isRestRequest ||
        (await runner.run(
          'isRestRequest',
          (common) => isRestRequest(true, { ...request, ...common }),
          asBoolean,
        ))
      if (!isRest) return 'ignored'
      const isNeeded = requireToken
        ? await runner.run(
            'requireToken',
            (common) => requireToken(isRequired, { ...request, ...common }),
            asBoolean,
          )
        : isRequired
      return isNeeded ? 'required' : 'optional'
    },

    async fateOf(refusal, request) {
      // Only a token can be invalid: a lost database or a missing scope is another matter.
      if (!invalidToken || refusal.bearer !== 'invalid_token') return refusal
      const { code, message } = refusal
      const fate = await runner.run(
        'invalidToken',
        (common) => invalidToken({ code, message }, { ...request, ...common }),
        asFate,
      )
      if (fate === 'anonymous') return undefined
      if (fate === 'refuse') return refusal
      return new ServiceError(refusal.code, { message: fate.refuse })
    },
  }
}
