import { ServiceError } from '../../errors.js'

/** @returns The scopes in a text, which are separated by spaces (RFC 6749, section 3.3). */
export function readScopeList(text: string): string[] {
  return text.split(' ').filter((name) => name !== '')
}

/** @throws {ServiceError} `insufficient_scope`, naming all that are needed. */
export function assertScopes(granted: readonly string[], needed: readonly string[]): void {
  if (needed.every((name) => granted.includes(name))) return
  throw new ServiceError('insufficient_scope', { scopes: needed })
}
