import { bearer, type Service } from './with-service.js'

export const tokenPath = '/wp/v2/token'

// Long enough for any machine; the clock is moved where it has to end.
export const grace = { REFRESH_GRACE: '600' }

/** A user with a key-pair, and the ways to use it. */
export async function startWithPair(service: Service) {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const post = (fields: Record<string, string>) => service.json(tokenPath, { fields })
  const client = { client_id: pair.api_key, client_secret: pair.api_secret }
  const oauth = (fields: Record<string, string>) =>
    service.json('/oauth2/token', { fields: { ...client, ...fields } })
  /** What the check says of a token, by its code. */
  const check = async (text: string): Promise<string> =>
    (await service.json(`${tokenPath}/validate`, { headers: bearer(text) })).body.code
  return { user, pair, post, oauth, client, check }
}

export const valid = 'rest_authentication_valid_access_token'
export const signedOut = 'rest_authentication_device_signed_out'
