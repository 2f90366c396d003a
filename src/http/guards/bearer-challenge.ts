import type { ServiceError } from '../../errors.js'

/** Where RFC 9728 has a resource say who issues its tokens. */
export const resourceMetadataPath = '/.well-known/oauth-protected-resource'

/**
 * The `WWW-Authenticate` of a refusal at a resource: which token would do, and what is wrong with the
 * one that came. Somebody without any learns nothing but that.
 *
 * @param publicUrl Of the service, if the resource is one of its own.
 * @returns `undefined` if no token could change the answer.
 * @see [RFC 6750, section 3](https://www.rfc-editor.org/rfc/rfc6750.html#section-3)
 */
export function bearerChallenge(error: ServiceError, publicUrl?: string): string | undefined {
  if (error.bearer === undefined) return undefined
  const parameters = ['realm="Twinkey"']
  if (error.bearer !== '') {
    parameters.push(`error="${error.bearer}"`, `error_description="${asciiText(error.message)}"`)
  }
  if (error.scopes) parameters.push(`scope="${asciiText(error.scopes.join(' '))}"`)
  if (publicUrl !== undefined) {
    parameters.push(`resource_metadata="${publicUrl}${resourceMetadataPath}"`)
  }
  return `Bearer ${parameters.join(', ')}`
}

/** In the characters that RFC 6749 and 6750 leave: no quote, no backslash, nothing beyond ASCII. */
export function asciiText(text: string): string {
  return text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')
}
