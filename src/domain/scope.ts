import { type DefinedScope, maxScopes, scopeNamePattern } from './key-pair-policy.js'

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

/**
 * Reads an administrator's list: `read=Read everything;write=Change things`.
 *
 * @returns `undefined` if it is none: each scope needs a name of its own, and a description.
 */
export function parseDefinedScopes(text: string): DefinedScope[] | undefined {
  const entries = text.split(';').filter((entry) => entry.trim() !== '')
  const scopes = entries.map((entry) => {
    const [name = '', ...description] = entry.split('=')
    return { name: name.trim(), description: description.join('=').trim() }
  })
  const names = new Set(scopes.map(({ name }) => name))
  if (names.size !== scopes.length || scopes.length > maxScopes) return undefined
  const isGood = ({ name, description }: DefinedScope) =>
    scopeNamePattern.test(name) && name !== offlineAccess && description !== ''
  return scopes.every(isGood) ? scopes : undefined
}
