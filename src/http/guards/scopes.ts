import type { TokenPrincipal } from '../../domain/actor.js'
import { ServiceError } from '../../errors.js'

/** @returns The scopes in a text, which are separated by spaces (RFC 6749, section 3.3). */
export function readScopeList(text: string): string[] {
  return text.split(' ').filter((name) => name !== '')
}

/** @throws {ServiceError} `insufficient_scope`, naming all that are needed. */
export function assertScopes(
  { scopes, user, apiKey }: Pick<TokenPrincipal, 'scopes' | 'user' | 'apiKey'>,
  needed: readonly string[],
): void {
  if (needed.every((name) => scopes.includes(name))) return
  const about = { userId: user.id, apiKey }
  throw new ServiceError('insufficient_scope', { scopes: needed, about })
}
