import * as client from 'openid-client'
import { bearer, onEachDatabase, type Pair, type Service } from '../helpers/with-service.js'

function discover(service: Service, pair: Pair, method: client.ClientAuth) {
  return client.discovery(new URL(service.url), pair.api_key, undefined, method, {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests],
  })
}

const methods = {
  Basic: ({ api_secret }: Pair) => client.ClientSecretBasic(api_secret),
  'the body': ({ api_secret }: Pair) => client.ClientSecretPost(api_secret),
}

for (const [name, method] of Object.entries(methods)) {
  onEachDatabase(
    `openid-client gets, renews, examines and ends tokens by ${name}`,
    async (t, service) => {
      const user = await service.createUser('ada')
      const pair = await service.mint(user.id)
      const config = await discover(service, pair, method(pair))
      t.is(config.serverMetadata().token_endpoint, `${service.url}/oauth2/token`)

      const plain = await client.clientCredentialsGrant(config)
      t.is(plain.token_type, 'bearer')
      // It counts down from the moment of the answer.
      t.true(Math.abs((plain.expiresIn() ?? 0) - 604_800) < 60)
      t.is(plain.refresh_token, undefined)

      const first = await client.clientCredentialsGrant(config, { scope: 'offline_access' })
      t.is(first.scope, 'offline_access')
      const second = await client.refreshTokenGrant(config, first.refresh_token ?? '')
      const me = await client.fetchProtectedResource(
        config,
        second.access_token,
        new URL(`${service.url}/wp/v2/users/me`),
        'GET',
      )
      t.is(((await me.json()) as { id: number }).id, user.id)

      const about = await client.tokenIntrospection(config, second.access_token)
      t.like(about, { active: true, client_id: pair.api_key, username: 'ada', iss: service.url })
      t.true((await client.tokenIntrospection(config, second.refresh_token ?? '')).active)

      await client.tokenRevocation(config, 'no token at all')
      t.true((await client.tokenIntrospection(config, second.access_token)).active)
      await client.tokenRevocation(config, second.refresh_token ?? '')
      const refused = await t.throwsAsync(
        client.refreshTokenGrant(config, first.refresh_token ?? ''),
      )
      t.is((refused?.cause as client.WWWAuthenticateChallenge[] | undefined)?.[0]?.scheme, 'basic')
      const validate = await service.json('/wp/v2/token/validate', {
        headers: bearer(second.access_token),
      })
      t.is(validate.body.code, 'rest_authentication_revoked_api_key')
    },
  )
}

onEachDatabase('openid-client understands refusals', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const config = await discover(service, pair, client.ClientSecretPost(pair.api_secret))
  const scope = await t.throwsAsync(
    client.clientCredentialsGrant(config, { scope: 'everything' }),
    {
      instanceOf: client.ResponseBodyError,
    },
  )
  t.like(scope, { error: 'invalid_scope', status: 400 })
  const grant = await t.throwsAsync(client.refreshTokenGrant(config, 'x.y.z'), {
    instanceOf: client.ResponseBodyError,
  })
  t.is(grant?.error, 'invalid_grant')
  const target = await t.throwsAsync(
    client.clientCredentialsGrant(config, { resource: 'https://elsewhere.example.com' }),
    { instanceOf: client.ResponseBodyError },
  )
  t.is(target?.error, 'invalid_target')
  const impostor = await discover(service, pair, client.ClientSecretPost('wrong'))
  const refused = await t.throwsAsync(client.clientCredentialsGrant(impostor), {
    instanceOf: client.WWWAuthenticateChallengeError,
  })
  t.is(refused?.status, 401)
  const resource = await t.throwsAsync(
    client.fetchProtectedResource(config, 'x', new URL(`${service.url}/wp/v2/users/me`), 'GET'),
    { instanceOf: client.WWWAuthenticateChallengeError },
  )
  t.like(resource?.cause[0], { scheme: 'bearer', parameters: { error: 'invalid_token' } })
})
