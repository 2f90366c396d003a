import { decodeJwt, decodeProtectedHeader } from 'jose'
import { operator } from '../../src/domain/actor.js'
import type { Extensions, Hooks } from '../../src/hooks.js'
import { jwtAuthApi, logInWithPair, post } from '../helpers/jwt-auth-client.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

// Each filter of usefulteam/jwt-auth, at its own routes.

function withHooks(
  title: string,
  hooks: Extensions['hooks'] & {},
  run: Parameters<typeof onEachDatabase>[1],
): void {
  onEachDatabase(title, run, {}, { hooks, hookTimeoutMs: 100 })
}

async function visitor(service: Service, login = 'ada') {
  const user = await service.createUser(login)
  return { user, pair: await service.mint(user.id) }
}

const validate = (service: Service, token: string) =>
  post(service, '/token/validate', { headers: bearer(token) })

withHooks(
  'jwt_auth_iss, _not_before, _expire and _refresh_expire shape its tokens, and no others',
  {
    jwt_auth_iss: () => 'https://www.example.com/en',
    jwt_auth_not_before: (notBefore, { issuedAt }) => Math.min(notBefore, issuedAt) - 10,
    jwt_auth_expire: async (expire, { issuedAt, dialect }) =>
      dialect === 'jwt-auth' && expire === issuedAt + 600 ? issuedAt + 120 : expire,
    jwt_auth_refresh_expire: (expire, { issuedAt }) =>
      expire === issuedAt + 2_592_000 ? issuedAt + 1000 : expire,
  },
  async (t, service) => {
    const { pair } = await visitor(service)
    const { token, cookie } = await logInWithPair(service, pair, 'phone')
    const claims = decodeJwt(token) as any
    t.is(claims.iss, 'https://www.example.com/en')
    t.is(claims.nbf, claims.iat - 10)
    t.is(claims.exp, claims.iat + 120)
    // Both issuers' tokens are good in both namespaces.
    t.is((await validate(service, token)).status, 200)
    t.is((await service.json('/wp/v2/users/me', { headers: bearer(token) })).status, 200)
    const { access_token } = await service.exchange(pair)
    t.is(decodeJwt(access_token).iss, service.url)
    t.is(Number(decodeJwt(access_token).exp) - Number(decodeJwt(access_token).iat), 604_800)
    t.is((await validate(service, access_token)).status, 200)

    const minted = await post(service, '/token', { cookie, fields: { device: 'phone' } })
    t.is(decodeJwt(minted.body.data.token).iss, 'https://www.example.com/en')
    service.advance(121)
    t.is((await validate(service, token)).body.message, 'Expired token')
    service.advance(900)
    const late = await post(service, '/token/refresh', { cookie, fields: { device: 'phone' } })
    t.is(late.body.code, 'jwt_auth_expired_refresh_token')
  },
)

withHooks(
  'jwt_auth_alg picks among the keys that there are',
  {
    jwt_auth_alg: (algorithm, { user, available }) => {
      if (user.login === 'ada') return 'HS256'
      return user.login === 'bob' ? (available[0] ?? algorithm) : 'PS256'
    },
  },
  async (t, service) => {
    await service.runtime.services.signingKeys.rotate('ES256')
    await service.runtime.services.keyRing.reload()
    service.advance(10)
    const algorithmOf = async (login: string) => {
      const { pair } = await visitor(service, login)
      const { token } = await logInWithPair(service, pair)
      t.is((await validate(service, token)).status, 200)
      return decodeProtectedHeader(token).alg
    }
    t.is(await algorithmOf('ada'), 'HS256')
    t.is(await algorithmOf('bob'), 'ES256')
    const { pair } = await visitor(service, 'eve')
    const refused = await post(service, '/token', { fields: { ...pair } })
    t.is(refused.status, 500)
    t.is(refused.cookie, undefined)
    t.regex(service.log(), /There is no key for PS256: ES256, HS256/)
    t.is(decodeProtectedHeader((await service.exchange(pair)).access_token).alg, 'ES256')
  },
)

withHooks(
  'jwt_auth_payload adds claims, and both responses can say what they hold',
  {
    jwt_auth_payload: (payload, { user }) => ({
      ...payload,
      iss: 'https://evil.sample.org',
      data: { ...payload.data, shop: 7, user: { ...payload.data.user, id: 99, nick: user.login } },
    }),
    jwt_auth_valid_credential_response: async (body, { user, apiKey }) => ({
      ...body,
      data: { ...(body.data as object), roles: user.roles, apiKey },
    }),
    jwt_auth_valid_token_response: (body, { payload, user }) => ({
      ...body,
      data: { shop: (payload.data as any).shop, login: user.login, exp: payload.exp },
    }),
  },
  async (t, service) => {
    const { user, pair } = await visitor(service)
    const first = await post(service, '/token', { fields: { ...pair, device: 'phone' } })
    t.is(first.status, 200)
    t.like(first.body.data, { id: user.id, roles: ['subscriber'], apiKey: pair.api_key })
    const { token } = first.body.data
    const claims = decodeJwt(token) as any
    t.is(claims.iss, service.url)
    t.like(claims.data, { shop: 7 })
    t.like(claims.data.user, { id: user.id, nick: 'ada', device: 'phone' })

    const fields = { device: 'phone' }
    const minted = await post(service, '/token', { cookie: first.cookie, fields })
    t.like(minted.body.data, { roles: ['subscriber'] })
    const checked = await validate(service, token)
    t.deepEqual(checked.body, {
      success: true,
      statusCode: 200,
      code: 'jwt_auth_valid_token',
      message: 'Token is valid',
      data: { shop: 7, login: 'ada', exp: claims.exp },
    })
    const { access_token } = await service.exchange(pair)
    t.is((decodeJwt(access_token) as any).data.shop, undefined)
  },
)

withHooks(
  'jwt_auth_extra_token_check refuses in the words of the namespace',
  {
    jwt_auth_extra_token_check: (_, { user, payload }) =>
      user.login === 'eve' && payload.data.user.user_login === 'eve' ? 'Eve was here' : '',
  },
  async (t, service) => {
    const ada = await visitor(service)
    const eve = await visitor(service, 'eve')
    const { token } = await logInWithPair(service, eve.pair)
    const refused = await validate(service, token)
    t.is(refused.status, 401)
    t.deepEqual(refused.body, {
      success: false,
      statusCode: 401,
      code: 'jwt_auth_obsolete_token',
      message: 'Eve was here',
      data: [],
    })
    const me = await service.json('/wp/v2/users/me', { headers: bearer(token) })
    t.is(me.body.code, 'rest_authentication_refused_token')
    const good = await logInWithPair(service, ada.pair)
    t.is((await validate(service, good.token)).status, 200)
  },
)

withHooks(
  'jwt_auth_do_custom_auth finds a live key-pair, and no tokens without one',
  {
    jwt_auth_do_custom_auth: async (_, { username, customAuth }) => {
      if (customAuth === 'stolen') return { refuse: 'That code was used.' }
      return typeof customAuth === 'string' && username === 'ada'
        ? { apiKey: customAuth }
        : undefined
    },
  },
  async (t, service) => {
    const { user, pair } = await visitor(service)
    const ask = (custom_auth: string, more: Record<string, string> = {}) =>
      post(service, '/token', {
        fields: { username: 'ada', custom_auth, device: 'phone', ...more },
      })
    const { status, body, cookie } = await ask(pair.api_key)
    t.is(status, 200)
    t.is(body.data.id, user.id)
    t.is((decodeJwt(body.data.token) as any).data.user.api_key, pair.api_key)
    t.is((await validate(service, body.data.token)).status, 200)
    const refreshed = await post(service, '/token/refresh', { cookie, fields: { device: 'phone' } })
    t.is(refreshed.status, 200)

    const failed = async (...request: Parameters<typeof ask>) => {
      const answer = await ask(...request)
      t.is(answer.cookie, undefined)
      return [answer.status, answer.body.code, answer.body.message]
    }
    const code = 'jwt_auth_custom_auth_failed'
    t.deepEqual(await failed('stolen'), [401, code, 'That code was used.'])
    t.deepEqual(await failed(pair.api_key, { username: 'bob' }), [
      401,
      code,
      'Custom authentication failed.',
    ])
    const [, unknown] = await failed(`${user.id}nobodyHasThisKey`)
    t.is(unknown, 'rest_authentication_invalid_api_key_secret')
    await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
    const [, revoked] = await failed(pair.api_key)
    t.is(revoked, 'rest_authentication_revoked_api_key')
    t.is((await validate(service, body.data.token)).body.code, 'jwt_auth_obsolete_token')
  },
)

withHooks(
  'jwt_auth_authorization_header names the header that has the token',
  { jwt_auth_authorization_header: () => 'HTTP_X_TOKEN' },
  async (t, service) => {
    const { pair } = await visitor(service)
    const { token } = await logInWithPair(service, pair)
    const ask = async (headers: Record<string, string>) => {
      const { status, body } = await post(service, '/token/validate', { headers })
      return [status, body.code]
    }
    const good = `Bearer ${token}`
    t.deepEqual(await ask({ 'X-Token': good }), [200, 'jwt_auth_valid_token'])
    t.deepEqual(await ask({ Authorization: good }), [200, 'jwt_auth_valid_token'])
    const both = { 'X-Token': 'Bearer x.y.z', Authorization: good }
    t.deepEqual(await ask(both), [401, 'jwt_auth_invalid_token'])
    t.deepEqual(await ask({}), [401, 'jwt_auth_no_auth_header'])
    t.deepEqual(await ask({ 'X-Token': token }), [401, 'jwt_auth_bad_auth_header'])
  },
)

const never = new Promise<never>(() => {})
const fail = (login: string, name: string, usual: unknown): any => {
  if (login === `${name}.throws`) throw new Error('The inside of the hook')
  return login === `${name}.hangs` ? never : usual
}
const failing: Partial<Hooks> = {
  jwtAuthNotBefore: (at, { user }) => fail(user.login, 'jwtAuthNotBefore', at),
  jwtAuthExpire: (at, { user }) => fail(user.login, 'jwtAuthExpire', at),
  jwtAuthRefreshExpire: (at, { user }) => fail(user.login, 'jwtAuthRefreshExpire', at),
  jwtAuthAlgorithm: (name, { user }) => fail(user.login, 'jwtAuthAlgorithm', name),
  jwtAuthPayload: (_, { user }) => fail(user.login, 'jwtAuthPayload', {}),
  jwtAuthCredentialResponse: (body, { user }) =>
    fail(user.login, 'jwtAuthCredentialResponse', body),
  customAuth: (_, { username = '', customAuth }) =>
    fail(username, 'customAuth', { apiKey: String(customAuth) }),
  jwtAuthTokenResponse: (body, { user }) => fail(user.login, 'jwtAuthTokenResponse', body),
}

withHooks(
  'a hook that throws or hangs fails that request alone, and gives no cookie away',
  failing,
  async (t, service) => {
    const ada = await visitor(service)
    for (const hook of Object.keys(failing)) {
      for (const [misdeed, status] of [
        ['throws', 500],
        ['hangs', 504],
      ] as const) {
        const username = `${hook}.${misdeed}`
        const { pair } = await visitor(service, username)
        let answer = await post(service, '/token', {
          fields: hook === 'customAuth' ? { username, custom_auth: pair.api_key } : { ...pair },
        })
        if (hook === 'jwtAuthTokenResponse')
          answer = await validate(service, answer.body.data.token)
        t.is(answer.status, status, username)
        t.is(answer.cookie, undefined)
        t.false(/inside of the hook|eyJ/.test(JSON.stringify(answer.body)))
        t.regex(service.log(), new RegExp(`"hook":"${hook}"`))
        const { token } = await logInWithPair(service, ada.pair)
        t.is((await validate(service, token)).status, 200)
      }
    }
  },
)

onEachDatabase(
  'jwt_auth_cors_allow_headers says what pages may send',
  async (t, service) => {
    const response = await service.fetch(`${jwtAuthApi}/token`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'POST' },
    })
    t.is(response.headers.get('Access-Control-Allow-Headers'), 'Authorization,Cookie')
  },
  { CORS_ORIGINS: 'https://app.example.com' },
  { hooks: { jwt_auth_cors_allow_headers: () => 'Authorization, Cookie' } },
)
