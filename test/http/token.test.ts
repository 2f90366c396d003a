import { decodeJwt, decodeProtectedHeader } from 'jose'
import { operator } from '../../src/domain/actor.js'
import { multipart, multipartType } from '../helpers/multipart.js'
import { bearer, onEachDatabase, passwordOf } from '../helpers/with-service.js'

const mounts = [
  '/wp-json/wp/v2/token',
  '/wp/v2/token',
  '/index.php?rest_route=/wp/v2/token',
  '/?rest_route=/wp/v2/token',
]

/** A body in each encoding that the plugin's clients use. */
function encodings(fields: Record<string, string>): Record<string, RequestInit> {
  const parts = Object.entries(fields).map(([name, value]) => ({ name, value }))
  return {
    multipart: { headers: { 'Content-Type': multipartType }, body: multipart(parts) },
    urlencoded: { body: new URLSearchParams(fields) },
    JSON: { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) },
  }
}

onEachDatabase(
  'a key-pair becomes tokens at every address, in every encoding',
  async (t, service) => {
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    for (const mount of mounts) {
      for (const [encoding, init] of Object.entries(encodings({ ...pair }))) {
        const response = await service.fetch(mount, { method: 'POST', ...init })
        const body = (await response.json()) as any
        t.is(response.status, 200, `${encoding} to ${mount}`)
        t.is(response.headers.get('Cache-Control'), 'no-store')
        t.is(response.headers.get('Content-Type'), 'application/json; charset=utf-8')
        t.deepEqual(Object.keys(body), ['access_token', 'data', 'exp', 'refresh_token'])
        t.deepEqual(body.data, {
          user: {
            id: user.id,
            type: 'wp_user',
            user_login: 'ada',
            user_email: 'ada@sample.org',
            api_key: pair.api_key,
          },
        })
        t.is(body.exp, 604_800)
      }
    }
  },
)

onEachDatabase(
  'a username and password get the plugin’s refusal, byte for byte',
  async (t, service) => {
    await service.createUser('ada')
    const refusal =
      '{"code":"rest_authentication_required_api_key_secret","message":"An API key-pair is required to generate a token.","data":{"status":403}}'
    for (const mount of mounts) {
      for (const init of Object.values(
        encodings({ username: 'ada', password: passwordOf('ada') }),
      )) {
        const response = await service.fetch(mount, { method: 'POST', ...init })
        t.is(response.status, 403)
        t.is(await response.text(), refusal)
      }
    }
  },
)

onEachDatabase(
  'credentials are never read from the URL or from other headers',
  async (t, service) => {
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    const { refresh_token } = await service.exchange(pair)
    const basic = `Basic ${Buffer.from(`${pair.api_key}:${pair.api_secret}`).toString('base64')}`
    const queries = [new URLSearchParams({ ...pair }), new URLSearchParams({ refresh_token })]
    for (const mount of mounts) {
      for (const query of queries) {
        const path = `${mount}${mount.includes('?') ? '&' : '?'}${query}`
        const { status, body } = await service.json(path, { method: 'POST' })
        t.is(status, 403)
        t.is(body.code, 'rest_authentication_required_api_key_secret')
        const { status: half } = await service.json(path, { fields: { api_key: pair.api_key } })
        t.is(half, 403, 'nor may the body bring one half and the URL the other')
      }
      const { body } = await service.json(mount, {
        method: 'POST',
        headers: {
          Authorization: basic,
          'X-API-Key': pair.api_key,
          'X-API-Secret': pair.api_secret,
        },
      })
      t.is(body.code, 'rest_authentication_required_api_key_secret')
    }
    t.false(service.log().includes(pair.api_secret))
    t.false(service.log().includes(refresh_token))
  },
)

onEachDatabase('the claims are those of the plugin and of RFC 7519', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const before = service.now()
  const { access_token, refresh_token } = await service.exchange(pair)
  for (const [token, lifetime, type] of [
    [access_token, 604_800, undefined],
    [refresh_token, 31_536_000, 'refresh'],
  ] as const) {
    t.deepEqual(decodeProtectedHeader(token), { typ: 'JWT', alg: 'HS256' })
    const { iat = 0, nbf, exp, jti, ...claims } = decodeJwt(token)
    t.true(iat >= before && iat <= service.now())
    t.is(nbf, iat)
    t.is(exp, iat + lifetime)
    t.regex(String(jti), /^[0-9a-f-]{36}$/)
    t.deepEqual(claims, {
      iss: service.url,
      sub: String(user.id),
      data: {
        user: {
          id: user.id,
          type: 'wp_user',
          user_login: 'ada',
          user_email: 'ada@sample.org',
          api_key: pair.api_key,
          ...(type && { token_type: type }),
        },
      },
    })
  }
  const again = await service.exchange(pair)
  t.not(decodeJwt(again.access_token).jti, decodeJwt(access_token).jti)
})

onEachDatabase(
  'a refresh token becomes new tokens, until its key is revoked',
  async (t, service) => {
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    const { refresh_token } = await service.exchange(pair)
    for (const mount of mounts) {
      for (const init of Object.values(encodings({ refresh_token }))) {
        const response = await service.fetch(mount, { method: 'POST', ...init })
        const { access_token } = (await response.json()) as { access_token: string }
        t.is(response.status, 200)
        t.is(response.headers.get('Cache-Control'), 'no-store')
        const me = await service.json('/wp/v2/users/me', { headers: bearer(access_token) })
        t.is(me.body.id, user.id)
      }
    }
    await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
    for (const mount of mounts) {
      for (const init of Object.values(encodings({ refresh_token }))) {
        const response = await service.fetch(mount, { method: 'POST', ...init })
        t.is(response.status, 403)
        t.deepEqual(await response.json(), {
          code: 'rest_authentication_revoked_api_key',
          message: 'Refresh token is invalid the API key has been revoked.',
          data: { status: 403 },
        })
      }
    }
  },
)

onEachDatabase(
  'disabling a user refuses key-pair and refresh token, enabling allows them',
  async (t, service) => {
    const { users } = service.runtime.services
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    const { refresh_token } = await service.exchange(pair)
    const codes = async () => [
      (await service.json('/wp/v2/token', { fields: { ...pair } })).body.code,
      (await service.json('/wp/v2/token', { fields: { refresh_token } })).body.code,
    ]
    await users.disable(user.id)
    t.deepEqual(await codes(), [
      'rest_authentication_disabled_user',
      'rest_authentication_invalid_refresh_token',
    ])
    await users.enable(user.id)
    t.deepEqual(await codes(), [undefined, undefined])
    await users.delete(user.id)
    t.deepEqual(await codes(), [
      'rest_authentication_invalid_api_key_secret',
      'rest_authentication_invalid_refresh_token',
    ])
  },
)

onEachDatabase(
  'lifetimes are those configured, and a token is dead in the second it expires',
  async (t, service) => {
    const user = await service.createUser('ada')
    const { access_token, refresh_token } = await service.exchange(await service.mint(user.id))
    t.is((await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).status, 200)
    service.advance(60)
    const expired = await service.json('/wp/v2/users/me', { headers: bearer(access_token) })
    t.is(expired.body.code, 'rest_authentication_token_error')
    const refreshed = await service.json('/wp/v2/token', { fields: { refresh_token } })
    t.is(refreshed.body.exp, 60)
    service.advance(240)
    const late = await service.json('/wp/v2/token', { fields: { refresh_token } })
    t.is(late.status, 403)
    t.is(late.body.code, 'rest_authentication_token_error')
  },
  { ACCESS_TOKEN_TTL: '60', REFRESH_TOKEN_TTL: '300' },
)

const forwarded = { 'X-Forwarded-For': '198.51.100.9, 203.0.113.7' }
for (const [hops, address] of [
  ['off', '127.0.0.1'],
  ['1', '203.0.113.7'],
  ['2', '198.51.100.9'],
] as const) {
  onEachDatabase(
    `with TRUST_PROXY=${hops} a use is recorded from ${address}`,
    async (t, service) => {
      const user = await service.createUser('ada')
      const pair = await service.mint(user.id)
      await service.json('/wp/v2/token', { fields: { ...pair }, headers: forwarded })
      await service.runtime.services.usage.flush()
      const { headers } = await service.logIn('ada')
      const { body } = await service.json(`/wp/v2/key-pair/${user.id}`, { headers })
      t.is(body[0].last_ip, address)
      t.not(body[0].last_used, '—')
    },
    { TRUST_PROXY: hops },
  )
}
