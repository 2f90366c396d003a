import { payloadOf } from '../../domain/token-payload.js'
import { ServiceError } from '../../errors.js'
import type { Hooks } from '../../hooks.js'
import type { KeyState } from '../../store/key-states.js'
import type { CheckedToken } from '../token-check.js'
import { asRefusal, asText } from './checked.js'
import type { HookRunner } from './runner.js'

/**
 * What hooks have to say against a token that is good otherwise. They are never asked about any other,
 * so none can save one.
 *
 * @param text The token, whose signature has been verified.
 * @param ip `undefined` where nobody uses the token, but asks about it.
 * @throws {ServiceError} `rest_authentication_refused_token`, 500 or 504.
 */
export type TokenVerdict = (
  text: string,
  token: Pick<CheckedToken, 'tokenType' | 'scopes'>,
  state: Pick<KeyState, 'user' | 'apiKey'>,
  ip: string | null | undefined,
) => Promise<void>

/** @returns `undefined` where no hook is given, so that a check costs nothing more. */
export function createVerdict(hooks: Partial<Hooks>, runner: HookRunner): TokenVerdict | undefined {
  const { validateToken, extraTokenCheck } = hooks
  if (!validateToken && !extraTokenCheck) return undefined

  return async function assertUnobjected(text, token, { user, apiKey }, ip) {
    const { scopes } = token
    const type = token.tokenType === 'refresh' ? 'refresh' : 'access'
    const about = { type, user, apiKey, scopes, ip } as const
    if (validateToken) {
      const refusal = await runner.run(
        'validateToken',
        (common) => validateToken(payloadOf(text), { ...about, ...common }),
        asRefusal,
      )
      if (refusal) refuse(refusal.refuse)
    }
    if (extraTokenCheck) {
      const reason = await runner.run(
        'extraTokenCheck',
        (common) => extraTokenCheck('', { ...about, payload: payloadOf(text), ...common }),
        asText,
      )
      if (reason !== '') refuse(reason)
    }
  }
}

function refuse(message: string): never {
  throw new ServiceError('rest_authentication_refused_token', { message })
}
