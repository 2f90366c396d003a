import { decodeJwt } from 'jose'
import type { Extensions } from '../../src/hooks.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

/** Registers a test of a service with extensions, once a database. */
function withExtensions(
  title: string,
  extensions: Extensions,
  run: Parameters<typeof onEachDatabase>[1],
  env = {},
): void {
  onEachDatabase(title, run, env, extensions)
}

async function visitor(service: Service, login = 'ada') {
  const user = await service.createUser(login)
  return { user, pair: await service.mint(user.id) }
}

withExtensions(
  'tokenExpires and refreshTokenExpires set lifetimes, never beyond the key-pair’s',
  {
    hooks: {
      tokenExpires: async (seconds, { user }) => (user.login === 'ada' ? 60 : seconds),
      rest_authentication_refresh_token_expires: (seconds, { type }) =>
        type === 'refresh' ? seconds * 2 : 1,
    },
  },
  async (t, service) => {
    const { pair } = await visitor(service)
    const { body } = await service.json('/wp/v2/token', { fields: { ...pair } })
    t.is(body.exp, 60)
    const access = decodeJwt(body.access_token)
    t.is(Number(access.exp) - Number(access.iat), 60)
    const refresh = decodeJwt(body.refresh_token)
    t.is(Number(refresh.exp) - Number(refresh.iat), 2 * 31_536_000)

    const { pair: other } = await visitor(service, 'bob')
    t.is((await service.json('/wp/v2/token', { fields: { ...other } })).body.exp, 604_800)
    const oauth = await service.json('/oauth2/token', {
      fields: {
        grant_type: 'client_credentials',
        client_id: pair.api_key,
        client_secret: pair.api_secret,
      },
    })
    t.is(oauth.body.expires_in, 60)

    const { keyPairs } = service.runtime.services
    const operator = { kind: 'operator' } as const
    const expiresAt = service.now() + 30
    await keyPairs.change(operator, decodeId(access), pair.api_key, { expiresAt })
    const short = await service.json('/wp/v2/token', { fields: { ...pair } })
    t.true(short.body.exp <= 30)
    const ends = ['access_token', 'refresh_token'].map((name) => decodeJwt(short.body[name]).exp)
    t.deepEqual(ends, [expiresAt, expiresAt])
  },
)

function decodeId(claims: Record<string, unknown>): number {
  return Number(claims.sub)
}

withExtensions(
  'privateClaims adds claims, and cannot touch the reserved ones',
  {
    hooks: {
      privateClaims: (payload, { type, dialect }) => ({
        ...payload,
        iss: 'https://evil.sample.org',
        exp: 4_000_000_000,
        aud: 'https://evil.sample.org',
        scope: 'everything',
        plan: 'gold',
        made: [type, dialect],
        data: {
          tenant: 7,
          user: { ...payload.data.user, id: 1, api_key: 'x', token_type: 'refresh', team: 'red' },
        },
      }),
    },
  },
  async (t, service) => {
    await service.createUser('first')
    const { user, pair } = await visitor(service)
    const tokens = await service.exchange(pair)
    const claims = decodeJwt(tokens.access_token) as any
    t.like(claims, { iss: service.url, plan: 'gold', made: ['access', 'wordpress'] })
    t.is(claims.exp - claims.iat, 604_800)
    t.false('aud' in claims || 'scope' in claims)
    t.deepEqual(claims.data, {
      tenant: 7,
      user: {
        team: 'red',
        id: user.id,
        type: 'wp_user',
        user_login: 'ada',
        user_email: 'ada@sample.org',
        api_key: pair.api_key,
      },
    })
    t.deepEqual((decodeJwt(tokens.refresh_token) as any).made, ['refresh', 'wordpress'])
    const me = await service.json('/wp/v2/users/me', { headers: bearer(tokens.access_token) })
    t.is(me.body.id, user.id)
    const { status, body } = await service.json('/wp/v2/token', {
      fields: { refresh_token: tokens.refresh_token },
    })
    t.is(status, 200)
    t.is((decodeJwt(body.access_token) as any).plan, 'gold')
    const warnings = service.log().match(/"claim":"[\w.]+"/g) ?? []
    t.deepEqual(
      warnings.sort(),
      [
        'aud',
        'data.user.api_key',
        'data.user.id',
        'data.user.token_type',
        'exp',
        'iss',
        'scope',
      ].map((claim) => `"claim":"${claim}"`),
    )
  },
)

withExtensions(
  'tokenResponse changes the answer in each dialect',
  {
    hooks: {
      tokenResponse: (body, { user, dialect }) => ({ ...body, hello: user.displayName, dialect }),
    },
  },
  async (t, service) => {
    const { pair } = await visitor(service)
    const { body } = await service.json('/wp/v2/token', { json: pair })
    t.like(body, { hello: 'ada', dialect: 'wordpress', exp: 604_800 })
    const { refresh_token } = body
    const refreshed = await service.json('/wp/v2/token', { fields: { refresh_token } })
    t.like(refreshed.body, { hello: 'ada', dialect: 'wordpress' })
    for (const path of ['/oauth2/token', '/wp/v2/token']) {
      for (const form of ['fields', 'json'] as const) {
        const granted = await service.json(path, {
          [form]: {
            grant_type: 'client_credentials',
            client_id: pair.api_key,
            client_secret: pair.api_secret,
          },
        })
        t.like(granted.body, { hello: 'ada', dialect: 'oauth', token_type: 'Bearer' })
      }
    }
  },
)

withExtensions(
  'validateToken and extraTokenCheck refuse good tokens everywhere, and can save none',
  {
    hooks: {
      validateToken: (payload, { user, ip }) =>
        (payload as any).data.user.user_login === 'bob' && user.login === 'bob' && ip !== null
          ? { refuse: 'Bob is on holiday.' }
          : undefined,
      jwt_auth_extra_token_check: async (_, { type, payload }) =>
        payload.data.user.user_login === 'eve' && type === 'access' ? 'Eve was here' : '',
    },
  },
  async (t, service) => {
    const ada = await visitor(service, 'ada')
    const bob = await visitor(service, 'bob')
    const eve = await visitor(service, 'eve')
    const good = await service.exchange(ada.pair)
    t.is((await ask(service, good.access_token)).status, 200)

    for (const [{ pair }, message] of [
      [bob, 'Bob is on holiday.'],
      [eve, 'Eve was here'],
    ] as const) {
      const { access_token } = await service.exchange(pair)
      const refused = await ask(service, access_token)
      t.is(refused.status, 403)
      t.like(refused.body, { code: 'rest_authentication_refused_token', message })
      t.regex(refused.headers.get('WWW-Authenticate') ?? '', /error="invalid_token"/)
      const me = await service.json('/wp/v2/users/me', { headers: bearer(access_token) })
      t.is(me.body.code, 'rest_authentication_refused_token')
      const forwarded = await service.fetch('/forward-auth', { headers: bearer(access_token) })
      t.is(forwarded.status, 401)
      const { body } = await service.json('/oauth2/introspect', {
        fields: { client_id: pair.api_key, client_secret: pair.api_secret, token: access_token },
      })
      t.deepEqual(body, { active: false })
    }
    const { refresh_token } = await service.exchange(bob.pair)
    const refresh = await service.json('/wp/v2/token', { fields: { refresh_token } })
    t.is(refresh.body.code, 'rest_authentication_refused_token')

    const { keyPairs } = service.runtime.services
    await keyPairs.revoke({ kind: 'operator' }, ada.user.id, ada.pair.api_key)
    const dead = await ask(service, good.access_token)
    t.is(dead.body.code, 'rest_authentication_revoked_api_key')
  },
)

function ask(service: Service, token: string) {
  return service.json('/wp/v2/token/validate', { headers: bearer(token) })
}

withExtensions(
  'user finds a live key-pair by other credentials, and no tokens without one',
  {
    hooks: {
      user: (_, { fields }) => {
        if (fields.card === 'valid') return { apiKey: String(fields.holder) }
        return fields.card === 'stolen' ? { refuse: 'That card was stolen.' } : undefined
      },
    },
  },
  async (t, service) => {
    const { user, pair } = await visitor(service)
    const present = (fields: Record<string, string>) => service.json('/wp/v2/token', { fields })
    const { status, body } = await present({ card: 'valid', holder: pair.api_key })
    t.is(status, 200)
    t.is(body.data.user.api_key, pair.api_key)
    t.is((await ask(service, body.access_token)).status, 200)
    const stolen = await present({ card: 'stolen' })
    t.is(stolen.status, 403)
    t.like(stolen.body, {
      code: 'rest_authentication_invalid_api_key_secret',
      message: 'That card was stolen.',
    })
    t.is((await present({ ...pair })).status, 200)
    t.is((await present({ card: 'lost' })).body.code, 'rest_authentication_required_api_key_secret')

    const refusal = async (holder: string) => (await present({ card: 'valid', holder })).body.code
    const unknown = 'rest_authentication_invalid_api_key_secret'
    for (const key of [`${user.id}nobodyHasThisKey`, '', "x' or 1=1", 'é'.repeat(500)]) {
      t.is(await refusal(key), unknown)
    }
    await service.runtime.services.keyPairs.revoke({ kind: 'operator' }, user.id, pair.api_key)
    t.is(await refusal(pair.api_key), 'rest_authentication_revoked_api_key')
    const fresh = await service.mint(user.id)
    await service.runtime.services.users.disable(user.id)
    t.is(await refusal(fresh.api_key), 'rest_authentication_disabled_user')
  },
)
