import { operator } from '../../src/domain/actor.js'
import { bearer, onEachDatabase } from '../helpers/with-service.js'

// RFC 6750, section 3. The first two addresses are answered by the hot lane, the others by the router.
const resources = [
  '/wp/v2/token/validate',
  '/wp-json/wp/v2/token/validate',
  '/wp/v2/token/validate/',
  '/index.php?rest_route=/wp/v2/users/me',
  '/wp-json/wp/v2/users/me',
]

onEachDatabase('a refused bearer is told why, besides the WordPress body', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const { access_token } = await service.exchange(pair)
  const metadata = `resource_metadata="${service.url}/.well-known/oauth-protected-resource"`
  const challenges = async (headers: Record<string, string>) => {
    const found = new Set<string | null>()
    for (const path of resources) {
      const { status, body, headers: got } = await service.json(path, { headers })
      t.true([401, 403].includes(status))
      t.is(body.data.status, status)
      found.add(got.get('WWW-Authenticate'))
    }
    return [...found]
  }
  t.deepEqual(await challenges({}), [`Bearer realm="Twinkey", ${metadata}`], 'nothing to explain')
  t.deepEqual(await challenges({ Authorization: 'Bearer ' }), [
    `Bearer realm="Twinkey", ${metadata}`,
  ])
  const refusal = (description: string) =>
    `Bearer realm="Twinkey", error="invalid_token", error_description="${description}", ${metadata}`
  t.deepEqual(await challenges(bearer('x')), [refusal('Invalid bearer token.')])
  await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
  t.deepEqual(await challenges(bearer(access_token)), [
    refusal('Token is invalid the API key has been revoked.'),
  ])
})

onEachDatabase('only refusals that concern a token come with a challenge', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const { access_token } = await service.exchange(pair)
  const challenge = async (path: string, init?: Parameters<typeof service.json>[1]) =>
    (await service.json(path, init)).headers.get('WWW-Authenticate')
  t.is(await challenge('/wp/v2/users/me', { headers: bearer(access_token) }), null)
  t.is(await challenge('/wp/v2/token', { fields: { api_key: 'x', api_secret: 'y' } }), null)
  t.is(await challenge('/wp-json/wp/v2/token', { json: { refresh_token: 'x' } }), null)
  t.is(await challenge('/wp/v2/no-such-route', { headers: bearer('x') }), null)
  t.is(await challenge('/login', { json: { user_login: 'ada', password: 'x' } }), null)
})
