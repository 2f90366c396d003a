import type { JsonObject, TokenDialect } from '../hooks.js'
import type { HookSet } from '../services/hooks/index.js'
import type { IssuedTokens } from '../services/tokens.js'

/** The hooks of an exchange. */
export type ExchangeHooks = Pick<HookSet, 'user' | 'tokenResponse'>

/** The answer of an exchange, as the operator's hook would have it, if there is one. */
export function answerExchange(
  { tokenResponse }: ExchangeHooks,
  body: JsonObject,
  { user, apiKey }: Pick<IssuedTokens, 'user' | 'apiKey'>,
  dialect: TokenDialect,
): JsonObject | Promise<JsonObject> {
  return tokenResponse ? tokenResponse(body, { user, apiKey, dialect }) : body
}
