/** A scope's name, as RFC 6749, section 3.3 has it: printable ASCII but quote and backslash. */
const scopePattern = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Asks for a refresh token where none is given unasked. No key-pair needs it among its scopes. */
export const offlineAccess = 'offline_access'

/** @returns The names in a space-separated list, each once; `undefined` if one is no name. */
export function parseScopes(text: string): string[] | undefined {
  const names = text.split(' ').filter((name) => name !== '')
  return names.every((name) => scopePattern.test(name)) ? [...new Set(names)] : undefined
}

/** @returns What was requested, or `undefined` if it is more than is allowed. */
export function grantScopes(
  requested: readonly string[],
  allowed: readonly string[],
): readonly string[] | undefined {
  return requested.every((name) => allowed.includes(name)) ? requested : undefined
}
