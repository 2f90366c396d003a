import type { TokenClaims } from './access-token.js'

/**
 * All that a token says, what hooks have added included.
 *
 * @param text A token whose signature and shape have been verified.
 */
export function payloadOf(text: string): TokenClaims {
  const [, payload = ''] = text.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}
