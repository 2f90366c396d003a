import { decodeJwt } from 'jose'
import { bearer, onEachDatabase, type Pair, type Service } from '../helpers/with-service.js'

const basic = ({ api_key, api_secret }: Pair) => ({
  Authorization: `Basic ${Buffer.from(`${api_key}:${api_secret}`).toString('base64')}`,
})

async function start(service: Service) {
  const ada = await service.createUser('ada')
  const bob = await service.createUser('bob')
  const root = await service.createUser('root', 'administrator')
  const pairs = {
    ada: await service.mint(ada.id),
    adaToo: await service.mint(ada.id),
    bob: await service.mint(bob.id),
    root: await service.mint(root.id),
  }
  const grant = async (pair: Pair) => {
    const fields = { grant_type: 'client_credentials', scope: 'offline_access', ...pair }
    const { body } = await service.json('/oauth2/token', { fields })
    return body as { access_token: string; refresh_token: string }
  }
  const post =
    (path: string) =>
    (pair: Pair, token: string, more: Record<string, string> = {}) =>
      service.json(path, { headers: basic(pair), fields: { token, ...more } })
  const isAlive = async (pair: Pair) =>
    (await service.json('/wp/v2/token', { fields: { ...pair } })).status === 200
  return {
    users: { ada, bob, root },
    pairs,
    grant,
    introspect: post('/oauth2/introspect'),
    revoke: post('/oauth2/revoke'),
    isAlive,
  }
}

onEachDatabase('introspection tells of both dialects’ tokens what they say', async (t, service) => {
  const { users, pairs, grant, introspect } = await start(service)
  const { access_token, refresh_token } = await grant(pairs.ada)
  const { iat, nbf, exp, jti } = decodeJwt(access_token)
  const about = {
    active: true,
    scope: 'offline_access',
    client_id: pairs.ada.api_key,
    username: 'ada',
    sub: String(users.ada.id),
    iss: service.url,
  }
  const access = await introspect(pairs.ada, access_token)
  t.is(access.status, 200)
  t.is(access.headers.get('Cache-Control'), 'no-store')
  t.deepEqual(access.body, {
    ...about,
    token_type: 'Bearer',
    aud: service.url,
    ...{ iat, nbf, exp, jti },
  })
  const refresh = await introspect(pairs.ada, refresh_token, { token_type_hint: 'refresh_token' })
  t.like(refresh.body, about)
  t.false('token_type' in refresh.body, 'a refresh token authenticates nothing')

  const wordpress = await service.exchange(pairs.ada)
  const other = await introspect(pairs.adaToo, wordpress.access_token)
  t.true(other.body.active, 'another pair of the same user may ask')
  t.false('aud' in other.body)
  const inBody = await service.json('/oauth2/introspect', {
    fields: {
      client_id: pairs.ada.api_key,
      client_secret: pairs.ada.api_secret,
      token: access_token,
    },
  })
  t.true(inBody.body.active)
})

onEachDatabase('introspection tells the truth about tokens that have died', async (t, service) => {
  const { users, pairs, grant, introspect } = await start(service)
  const { keyPairs, users: accounts } = service.runtime.services
  const { access_token, refresh_token } = await grant(pairs.ada)
  const dead = async (...tokens: string[]) => {
    for (const token of tokens) {
      const { status, body } = await introspect(pairs.root, token)
      t.is(status, 200)
      t.deepEqual(body, { active: false })
    }
  }
  const alive = await introspect(pairs.root, access_token)
  t.true(alive.body.active)
  await accounts.disable(users.ada.id)
  await dead(access_token, refresh_token)
  await accounts.enable(users.ada.id)
  t.true((await introspect(pairs.root, access_token)).body.active)
  await keyPairs.surrender({ kind: 'key_pair', user: users.ada, apiKey: pairs.ada.api_key })
  await dead(access_token, refresh_token, 'x', 'x.y.z', pairs.ada.api_key, `${access_token}x`)
  const second = await grant(pairs.adaToo)
  service.advance(604_800)
  await dead(second.access_token)
  t.true((await introspect(pairs.root, second.refresh_token)).body.active)
})

onEachDatabase(
  'a user’s tokens are nobody else’s business, but an administrator’s',
  async (t, service) => {
    const { users, pairs, grant, introspect } = await start(service)
    const { access_token } = await grant(pairs.ada)
    t.deepEqual((await introspect(pairs.bob, access_token)).body, { active: false })
    t.true((await introspect(pairs.root, access_token)).body.active)
    for (const fields of [
      { token: access_token },
      { token: access_token, client_id: pairs.ada.api_key },
      { token: access_token, client_id: pairs.ada.api_key, client_secret: 'x' },
    ]) {
      const { status, body, headers } = await service.json('/oauth2/introspect', { fields })
      t.is(status, 401)
      t.is(body.error, 'invalid_client')
      t.regex(headers.get('WWW-Authenticate') ?? '', /^Basic /)
    }
    const asBearer = await service.json('/oauth2/introspect', {
      headers: bearer(access_token),
      fields: { token: access_token },
    })
    t.is(asBearer.status, 401, 'a token cannot ask')
    const nothing = await service.json('/oauth2/introspect', {
      headers: basic(pairs.ada),
      fields: { token: '' },
    })
    t.is(nothing.status, 400)
    t.is(nothing.body.error, 'invalid_request')
    await service.runtime.services.users.disable(users.ada.id)
    t.is((await introspect(pairs.ada, access_token)).status, 401)
  },
)

for (const what of ['access_token', 'refresh_token', 'api_key', 'api_secret'] as const) {
  onEachDatabase(`a pair can end itself by its ${what}`, async (t, service) => {
    const { pairs, grant, introspect, revoke, isAlive } = await start(service)
    const tokens = await grant(pairs.ada)
    const answer = await revoke(pairs.ada, { ...tokens, ...pairs.ada }[what])
    t.is(answer.status, 200)
    t.false(await isAlive(pairs.ada))
    t.true(await isAlive(pairs.adaToo), 'its siblings live on')
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      t.deepEqual((await introspect(pairs.adaToo, token)).body, { active: false })
    }
    const validate = await service.json('/wp/v2/token/validate', {
      headers: bearer(tokens.access_token),
    })
    t.is(validate.body.code, 'rest_authentication_revoked_api_key')
    t.is((await revoke(pairs.ada, tokens.access_token)).status, 401, 'a dead pair proves nothing')
    t.is(
      await service.runtime
        .db('key_pairs')
        .whereNotNull('revoked_at')
        .then((rows) => rows.length),
      1,
    )
  })
}

onEachDatabase('a pair can end nothing but itself', async (t, service) => {
  const { pairs, grant, revoke, isAlive } = await start(service)
  const ada = await grant(pairs.ada)
  for (const pair of [pairs.adaToo, pairs.bob, pairs.root]) {
    for (const token of [ada.access_token, ada.refresh_token]) {
      const { status, body } = await revoke(pair, token)
      t.is(status, 400)
      t.is(body.error, 'invalid_grant')
    }
    const { status } = await revoke(pair, pairs.ada.api_key)
    t.is(status, 200, 'a key that is not its own is no token')
    t.is((await revoke(pair, pairs.ada.api_secret)).status, 200)
  }
  for (const token of ['x', 'x.y.z', `${ada.access_token}x`]) {
    const { status } = await revoke(pairs.ada, token, { token_type_hint: 'anything' })
    t.is(status, 200, 'what is no token is as good as revoked')
  }
  service.advance(604_800)
  t.is((await revoke(pairs.ada, ada.access_token)).status, 200)
  const missing = await service.json('/oauth2/revoke', { headers: basic(pairs.ada), fields: {} })
  t.is(missing.body.error, 'invalid_request')
  const unproven = await service.json('/oauth2/revoke', {
    fields: { token: ada.refresh_token, client_id: pairs.ada.api_key },
  })
  t.is(unproven.status, 401)
  for (const pair of Object.values(pairs)) t.true(await isAlive(pair))
})
