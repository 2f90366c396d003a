import type { PresentedToken } from '../domain/access-token.js'
import type { KeyPairPrincipal } from '../domain/actor.js'
import { isAdministrator } from '../domain/user.js'
import { ServiceError } from '../errors.js'
import type { DeviceService } from './devices.js'
import type { KeyPairService } from './key-pairs.js'
import type { Limiter } from './limiter.js'
import type { RegisteredTokenService } from './registered-tokens.js'
import type { TokenService } from './tokens.js'

export interface TokenIntrospection {
  /**
   * What a token says, if it is good now and the caller may know: tokens of the caller's own user; an
   * administrator's key-pair may ask about all.
   *
   * @throws {ServiceError} `rest_too_many_attempts`, about a token that is not good, after too many of
   *   them (RFC 7662, section 4: nobody shall find tokens by trying). Good ones are answered for.
   */
  introspect(caller: KeyPairPrincipal, token: string): Promise<PresentedToken | undefined>
  /**
   * Ends what a token stands for: itself, if it is registered, or the device that it was issued to. All
   * other tokens live as long as their key-pair does, so any of them, or the pair's own key or secret in place of a token,
   * ends the key-pair itself. What is no good token (any more) is none to end.
   *
   * @throws {ServiceError} `rest_authentication_foreign_token`
   */
  revoke(caller: KeyPairPrincipal, apiSecret: string, token: string): Promise<void>
}

export interface TokenIntrospectionDeps {
  tokens: Pick<TokenService, 'inspect'>
  keyPairs: Pick<KeyPairService, 'surrender'>
  devices: Pick<DeviceService, 'surrender'>
  registeredTokens: Pick<RegisteredTokenService, 'surrender'>
  limiter: Limiter
}

export function createTokenIntrospection(deps: TokenIntrospectionDeps): TokenIntrospection {
  const { tokens, keyPairs, devices, registeredTokens, limiter } = deps

  async function findGood(text: string): Promise<PresentedToken | undefined> {
    const { token, refusal } = await tokens.inspect(text)
    return refusal ? undefined : token
  }

  return {
    async introspect(caller, text) {
      const token = await findGood(text)
      const mayKnow = token?.userId === caller.user.id || isAdministrator(caller.user)
      if (token && mayKnow) return token
      await limiter.take(caller.apiKey)
      return undefined
    },

    async revoke(caller, apiSecret, text) {
      if (text !== caller.apiKey && text !== apiSecret) {
        const token = await findGood(text)
        if (!token) return
        if (token.apiKey !== caller.apiKey) {
          throw new ServiceError('rest_authentication_foreign_token')
        }
        if (token.isRegistered && token.id) return registeredTokens.surrender(caller, token.id)
        if (token.device) return devices.surrender(caller, token.device.chain)
      }
      await keyPairs.surrender(caller)
    },
  }
}
