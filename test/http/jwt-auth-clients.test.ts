import { decodeJwt } from 'jose'
import { operator } from '../../src/domain/actor.js'
import { jwtAuthApi, logInWithPair, post, refreshed } from '../helpers/jwt-auth-client.js'
import { bearer, onEachDatabase, passwordOf, type Service } from '../helpers/with-service.js'

// What programs written for usefulteam/jwt-auth do, one after the other.

// Long enough for any machine; the clock is moved where it has to end.
const grace = { REFRESH_GRACE: '600' }

async function startWithPair(service: Service) {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id, 'App')
  /** As such a program has it: a login, and a secret where a password was. */
  const credentials = { username: 'ada', password: pair.api_secret }
  const validate = async (token: string): Promise<string> =>
    (await post(service, '/token/validate', { headers: bearer(token) })).body.code
  return { user, pair, credentials, validate }
}

onEachDatabase(
  'a program logs in, checks its token, refreshes, mints and cannot go back',
  async (t, service) => {
    const { user, credentials, validate } = await startWithPair(service)
    const loggedIn = await post(service, '/token', { fields: credentials })
    t.is(loggedIn.body.code, 'jwt_auth_valid_credential')
    const { token } = loggedIn.body.data
    t.is(await validate(token), 'jwt_auth_valid_token')
    t.like(loggedIn.body.data, { id: user.id, email: user.email, displayName: user.displayName })
    const first = loggedIn.cookie ?? ''

    const minted = await post(service, '/token', { cookie: first })
    t.is(minted.body.code, 'jwt_auth_valid_credential')
    t.is(minted.cookie, undefined)
    t.not(minted.body.data.token, first)
    t.is((await post(service, '/token', { cookie: `${first}123` })).status, 401)

    const answer = await post(service, '/token/refresh', { cookie: first })
    t.deepEqual(answer.body, {
      success: true,
      statusCode: 200,
      code: 'jwt_auth_valid_token',
      message: 'Token is valid',
    })
    const second = answer.cookie ?? ''
    t.not(second, first)
    const afterwards = await post(service, '/token', { cookie: second })
    t.is(await validate(afterwards.body.data.token), 'jwt_auth_valid_token')
    // Also within the grace, which is for repeating a refreshing only.
    const obsolete = await post(service, '/token', { cookie: first })
    t.is(obsolete.status, 401)
    t.is(obsolete.body.code, 'jwt_auth_obsolete_refresh_token')
    t.is((await post(service, '/token', { cookie: second })).status, 200)
  },
  grace,
)

onEachDatabase(
  'each device has a refresh token of its own',
  async (t, service) => {
    const { credentials, validate } = await startWithPair(service)
    const devices = ['device1', 'device2']
    const before: Record<string, string> = {}
    const after: Record<string, string> = {}
    const tokens: Record<string, string> = {}
    for (const device of devices) {
      const { body, cookie = '' } = await post(service, '/token', {
        fields: { ...credentials, device },
      })
      before[device] = cookie
      tokens[device] = body.data.token
      t.like(decodeJwt(body.data.token), { data: { user: { device } } })
    }
    t.is(new Set(Object.values(before)).size, 2)
    for (const device of devices) {
      after[device] = await refreshed(service, before[device] ?? '', { device })
    }
    for (const device of devices) {
      const { status } = await post(service, '/token', {
        fields: { device },
        cookie: after[device],
      })
      t.is(status, 200)
      const old = await post(service, '/token', { fields: { device }, cookie: before[device] })
      t.is(old.body.code, 'jwt_auth_obsolete_refresh_token')
      t.is(await validate(tokens[device] ?? ''), 'jwt_auth_valid_token')
    }
    // One starts over; the other does not notice.
    await post(service, '/token', { fields: { ...credentials, device: 'device1' } })
    t.is(await validate(tokens.device1 ?? ''), 'jwt_auth_obsolete_token')
    t.is(await validate(tokens.device2 ?? ''), 'jwt_auth_valid_token')
    const fields = { device: 'device2' }
    t.is((await post(service, '/token', { fields, cookie: after.device2 })).status, 200)
  },
  grace,
)

onEachDatabase(
  'programs that name no device can use one key-pair at once',
  async (t, service) => {
    const { pair, validate } = await startWithPair(service)
    const one = await logInWithPair(service, pair)
    const two = await logInWithPair(service, pair)
    t.is(await validate(one.token), 'jwt_auth_valid_token')
    t.is(await validate(two.token), 'jwt_auth_valid_token')
    t.false('device' in (decodeJwt(one.token).data as { user: object }).user)
    // The refresh token is of whoever logged in last, and nobody is taken for a thief.
    service.advance(700)
    const late = await post(service, '/token/refresh', { cookie: one.cookie })
    t.is(late.body.code, 'jwt_auth_obsolete_refresh_token')
    t.is((await post(service, '/token', { cookie: two.cookie })).status, 200)
    t.is((await post(service, '/token/refresh', { cookie: two.cookie })).status, 200)
  },
  grace,
)

onEachDatabase(
  'a refreshing that is repeated gets the same successor; a late one ends the chain',
  async (t, service) => {
    const { pair, user, validate } = await startWithPair(service)
    const { cookie, token } = await logInWithPair(service, pair, 'phone')
    const fields = { device: 'phone' }
    const successor = await refreshed(service, cookie, fields)
    for (let i = 0; i < 3; i++) t.is(await refreshed(service, cookie, fields), successor)

    service.advance(601)
    const late = await post(service, '/token/refresh', { cookie, fields })
    t.is(late.body.code, 'jwt_auth_obsolete_refresh_token')
    t.is(late.cookie, undefined)
    for (const path of ['/token', '/token/refresh']) {
      const ended = await post(service, path, { cookie: successor, fields })
      t.is(ended.body.code, 'jwt_auth_obsolete_refresh_token', path)
    }
    t.not(await validate(token), 'jwt_auth_valid_token')
    const [device] = await service.runtime.services.devices.list(operator, user.id, pair.api_key)
    t.like(device, { name: 'phone', endedReason: 'reused' })
    t.truthy(device?.incident)
  },
  grace,
)

onEachDatabase(
  'a refresh token is taken from the body, and given back in it',
  async (t, service) => {
    const { pair } = await startWithPair(service)
    const { cookie } = await logInWithPair(service, pair, 'phone')
    const { cookie: other } = await logInWithPair(service, pair)

    const minted = await post(service, '/token', { fields: { refresh_token: cookie } })
    t.is(minted.body.code, 'jwt_auth_valid_credential')
    t.is(minted.cookie, undefined)
    t.like(decodeJwt(minted.body.data.token), { data: { user: { device: 'phone' } } })
    const answer = await service.json(`${jwtAuthApi}/token/refresh`, {
      json: { refresh_token: cookie },
    })
    t.is(answer.status, 200)
    const successor = answer.body.data.refresh_token
    t.deepEqual(answer.body.data, { refresh_token: successor })
    t.not(successor, cookie)
    t.true(answer.headers.getSetCookie()[0]?.startsWith(`refresh_token=${successor};`))
    // What is sent deliberately wins over what a browser adds.
    const both = { fields: { refresh_token: cookie }, cookie: other }
    const { body } = await post(service, '/token', both)
    t.is(body.code, 'jwt_auth_obsolete_refresh_token')
    const swapped = { refresh_token: successor, device: 'desk' }
    t.is((await post(service, '/token', { fields: swapped })).status, 401)
  },
  grace,
)

onEachDatabase(
  'posted credentials win over the cookie of somebody else',
  async (t, service) => {
    const { pair } = await startWithPair(service)
    const bob = await service.createUser('bob')
    const bobs = await service.mint(bob.id)
    const { cookie } = await logInWithPair(service, pair)
    const fields = { username: 'bob', password: bobs.api_secret }
    const { body, cookie: set } = await post(service, '/token', { fields, cookie })
    t.is(body.data.id, bob.id)
    t.true(set?.startsWith(`${bob.id}.`))
    // Nor does a bearer decide, where none is asked for.
    const headers = bearer(body.data.token)
    t.not((await post(service, '/token', { cookie, headers })).body.data.id, bob.id)
  },
  grace,
)

onEachDatabase(
  'the cookie is for HTTP only, and lives as long as the refresh token',
  async (t, service) => {
    const { pair, credentials } = await startWithPair(service)
    const cookieOf = async (fields: Record<string, string>) =>
      (await post(service, '/token', { fields })).headers.getSetCookie()
    const [line = '', ...more] = await cookieOf(credentials)
    t.deepEqual(more, [])
    const [value, expires = '', ...attributes] = line.split('; ')
    t.regex(value ?? '', /^refresh_token=\d+\.[0-9a-f]{64}$/)
    const [maxAge = '', ...flags] = attributes
    t.deepEqual(flags, ['path=/', 'HttpOnly', 'SameSite=Strict', 'secure'])
    const seconds = Number(maxAge.replace('Max-Age=', ''))
    t.true(seconds > 2_591_000 && seconds <= 2_592_000, maxAge)
    const [, date = ''] = expires.split('=')
    t.true(Math.abs(Date.parse(date) / 1000 - service.now() - seconds) < 600)

    // No token outlives its key-pair.
    const expiresAt = service.now() + 3000
    const { services } = service.runtime
    await services.keyPairs.change(operator, 1, pair.api_key, { expiresAt })
    const [short = ''] = await cookieOf(credentials)
    const left = Number(/Max-Age=(\d+)/.exec(short)?.[1])
    t.true(left > 2000 && left <= 3000, short)
  },
  { PUBLIC_URL: 'https://id.example.com' },
)

onEachDatabase(
  'other sites’ pages neither use the cookie nor set one',
  async (t, service) => {
    const { pair, credentials } = await startWithPair(service)
    const { cookie } = await logInWithPair(service, pair)
    const sent = (Origin: string) => ({ headers: { Origin }, cookie })
    for (const origin of ['https://evil.example', 'null', 'https://app.example.com:8443']) {
      const minted = await post(service, '/token', sent(origin))
      t.is(minted.body.code, 'jwt_auth_missing_credentials', origin)
      const again = await post(service, '/token/refresh', sent(origin))
      t.is(again.body.code, 'jwt_auth_no_auth_cookie', origin)
      const loggedIn = await post(service, '/token', { ...sent(origin), fields: credentials })
      t.is(loggedIn.status, 200)
      t.is(loggedIn.cookie, undefined, origin)
    }
    for (const origin of [service.url, 'https://app.example.com']) {
      const headers = { Origin: origin }
      const { cookie: given } = await post(service, '/token', { headers, fields: credentials })
      t.is((await post(service, '/token', { headers, cookie: given })).status, 200, origin)
      const renewed = await post(service, '/token/refresh', { headers, cookie: given })
      t.truthy(renewed.cookie, origin)
    }
  },
  { ...grace, CORS_ORIGINS: 'https://app.example.com' },
)

onEachDatabase('tokens of either namespace are good in both', async (t, service) => {
  const { pair, validate } = await startWithPair(service)
  const check = async (token: string) =>
    (await service.json('/wp/v2/token/validate', { headers: bearer(token) })).body.code
  const theirs = await logInWithPair(service, pair, 'phone')
  const ours = await service.exchange(pair)
  t.is(await check(theirs.token), 'rest_authentication_valid_access_token')
  t.is(await validate(ours.access_token), 'jwt_auth_valid_token')
  const { exp = 0, iat = 0 } = decodeJwt(theirs.token)
  t.is(exp - iat, 600)

  // Refresh tokens, too: each is replaced by one of its own kind.
  const minted = await post(service, '/token', { cookie: ours.refresh_token })
  t.is(await check(minted.body.data.token), 'rest_authentication_valid_access_token')
  const replaced = await refreshed(service, ours.refresh_token)
  t.is(replaced.split('.').length, 3)
  const exchanged = await service.json('/wp/v2/token', { fields: { refresh_token: replaced } })
  t.is(exchanged.status, 200)

  const rotated = await service.json('/wp/v2/token', { fields: { refresh_token: theirs.cookie } })
  t.is(rotated.status, 200)
  t.is(await validate(rotated.body.access_token), 'jwt_auth_valid_token')
  const fields = { device: 'phone' }
  const old = await post(service, '/token', { cookie: theirs.cookie, fields })
  t.is(old.body.code, 'jwt_auth_obsolete_refresh_token')
  const jwt: string = rotated.body.refresh_token
  t.is((await post(service, '/token', { cookie: jwt, fields })).status, 200)
  const next = await refreshed(service, jwt, fields)
  t.is(
    (await post(service, '/token', { cookie: jwt, fields })).body.code,
    'jwt_auth_obsolete_refresh_token',
  )
  t.is((await post(service, '/token', { cookie: next, fields })).status, 200)
  service.advance(2 * 31_536_000)
  const expired = await post(service, '/token', { cookie: ours.refresh_token })
  t.is(expired.body.code, 'jwt_auth_expired_refresh_token')
})

onEachDatabase('only POST has these routes, at each of their addresses', async (t, service) => {
  const { credentials } = await startWithPair(service)
  for (const mount of ['/wp-json', '', '/index.php?rest_route=', '/?rest_route=']) {
    for (const route of ['token', 'token/validate', 'token/refresh']) {
      const path = `${mount}/jwt-auth/v1/${route}`
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const { status, body } = await service.json(path, { method })
        t.is(status, 404, `${method} ${path}`)
        t.is(body.code, 'rest_no_route')
      }
      const { status } = await service.json(path, { method: 'POST' })
      t.is(status, 401, path)
    }
    const { body } = await service.json(`${mount}/jwt-auth/v1/token`, { fields: credentials })
    t.is(body.code, 'jwt_auth_valid_credential', mount)
  }
})

onEachDatabase('a secret is good for its owner, while it is good at all', async (t, service) => {
  const { user, pair, credentials } = await startWithPair(service)
  const { keyPairs, users } = service.runtime.services
  const attempt = async (fields: Record<string, string>) =>
    (await post(service, '/token', { fields })).body.code
  const wrong = 'incorrect_password'
  t.is(await attempt({ ...credentials, username: ' ADA ' }), 'jwt_auth_valid_credential')
  t.is(await attempt({ ...credentials, username: 'Ada@Sample.org' }), 'jwt_auth_valid_credential')
  t.is(await attempt({ ...credentials, username: 'adá' }), wrong)
  t.is(await attempt({ username: 'ada', password: passwordOf('ada') }), wrong)

  // Both, while a rotation's overlap lasts.
  const { apiSecret } = await keyPairs.rotate(operator, user.id, pair.api_key, 600)
  t.is(await attempt(credentials), 'jwt_auth_valid_credential')
  t.is(await attempt({ ...credentials, password: apiSecret }), 'jwt_auth_valid_credential')
  service.advance(601)
  t.is(await attempt(credentials), wrong)
  t.is(await attempt({ ...credentials, password: apiSecret }), 'jwt_auth_valid_credential')

  const rotated = { ...credentials, password: apiSecret }
  await keyPairs.change(operator, user.id, pair.api_key, { requireDevice: true })
  t.is(await attempt(rotated), 'rest_authentication_required_device')
  t.is(await attempt({ ...rotated, device: 'phone' }), 'jwt_auth_valid_credential')
  const names = await service.runtime.services.devices.list(operator, user.id, pair.api_key)
  t.deepEqual(names.map(({ name }) => name).sort(), ['', 'phone'])

  await users.disable(user.id)
  t.is(await attempt(rotated), 'rest_authentication_disabled_user')
  await users.enable(user.id)
  await keyPairs.revoke(operator, user.id, pair.api_key)
  t.is(await attempt(rotated), 'rest_authentication_revoked_api_key')
  t.false(service.log().includes(pair.api_secret) || service.log().includes(apiSecret))
})

onEachDatabase(
  'wrong secrets are counted, whoever they are said to be of; a right one is let in',
  async (t, service) => {
    const { credentials } = await startWithPair(service)
    for (const username of ['ada', 'nobody']) {
      const statuses: number[] = []
      for (let i = 0; i < 4; i++) {
        const fields = { username, password: `guess ${i}` }
        const { status, body, headers } = await post(service, '/token', { fields })
        statuses.push(status)
        if (status !== 429) continue
        t.is(body.code, 'rest_too_many_attempts')
        t.truthy(headers.get('Retry-After'))
      }
      t.deepEqual(statuses, [401, 401, 429, 429], username)
    }
    t.is((await post(service, '/token', { fields: credentials })).status, 200)
  },
  { RATE_LIMIT_EXCHANGE: '2/1h' },
)

onEachDatabase('a device’s name has at most 255 characters', async (t, service) => {
  const { credentials } = await startWithPair(service)
  const attempt = (device: string) =>
    post(service, '/token', { fields: { ...credentials, device } })
  t.is((await attempt('📱'.repeat(255))).status, 200)
  const long = await attempt('a'.repeat(256))
  t.is(long.status, 400)
  t.like(long.body, {
    code: 'rest_invalid_param',
    data: { params: { device: 'must have at most 255 characters' } },
  })
})
