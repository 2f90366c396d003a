import { inspect } from 'node:util'
import test from 'ava'
import {
  buildClaims,
  isCurrent,
  type PresentedToken,
  readClaims,
} from '../../src/domain/access-token.js'

const user = { id: 7, login: 'ada', email: 'ada@sample.org' }
const fresh = {
  issuer: 'https://id.example.com',
  user,
  apiKey: '7key',
  lifetime: 600,
  issuedAt: 1_700_000_000,
  id: 'jti-1',
}

test('an access token carries the plugin’s claims, RFC 7519’s, and the key', (t) => {
  t.deepEqual(buildClaims({ ...fresh, type: 'access' }), {
    iss: 'https://id.example.com',
    iat: 1_700_000_000,
    nbf: 1_700_000_000,
    exp: 1_700_000_600,
    jti: 'jti-1',
    sub: '7',
    data: {
      user: {
        id: 7,
        type: 'wp_user',
        user_login: 'ada',
        user_email: 'ada@sample.org',
        api_key: '7key',
      },
    },
  })
})

test('a refresh token says so, an access token says nothing', (t) => {
  t.is(buildClaims({ ...fresh, type: 'refresh' }).data.user.token_type, 'refresh')
  t.false('token_type' in buildClaims({ ...fresh, type: 'access' }).data.user)
})

test('OAuth’s tokens name the audience, the client and the scopes', (t) => {
  const build = (fields: object) => buildClaims({ ...fresh, type: 'access', ...fields })
  t.like(build({ audience: ['https://a.example'], scopes: ['x', 'y'] }), {
    aud: 'https://a.example',
    client_id: '7key',
    scope: 'x y',
  })
  t.deepEqual(build({ audience: ['https://a.example', 'https://b.example'] }).aud, [
    'https://a.example',
    'https://b.example',
  ])
  t.false('scope' in build({ scopes: [] }))
})

test('an audience is a name or a list of names; what is neither is nobody', (t) => {
  const audience = (aud: unknown) => readClaims({ aud })?.audience
  t.deepEqual(audience('a'), ['a'])
  t.deepEqual(audience(['a', 'b']), ['a', 'b'])
  for (const aud of [null, 7, {}, [7], ['a', null], [['a']]]) t.deepEqual(audience(aud), [])
})

test('what is built is read back', (t) => {
  for (const type of ['access', 'refresh'] as const) {
    const claims = JSON.parse(JSON.stringify(buildClaims({ ...fresh, type })))
    t.deepEqual(readClaims(claims), {
      issuer: fresh.issuer,
      issuedAt: fresh.issuedAt,
      notBefore: fresh.issuedAt,
      expiresAt: fresh.issuedAt + 600,
      userId: 7,
      login: 'ada',
      email: 'ada@sample.org',
      apiKey: '7key',
      tokenType: type === 'refresh' ? 'refresh' : undefined,
      secretVersion: 0,
      device: undefined,
      isRegistered: false,
      id: 'jti-1',
      audience: undefined,
      scopes: undefined,
    })
  }
})

test('a token of a device names it and its chain, and a refresh token its place in that', (t) => {
  const device = { name: 'Ada’s phone', chain: 'c1', generation: 3 }
  const claims = buildClaims({ ...fresh, type: 'refresh', device })
  t.like(claims.data.user, { device: 'Ada’s phone', device_chain: 'c1', device_rotation: 3 })
  t.deepEqual(readClaims({ ...claims })?.device, device)
  const { generation: _, ...bare } = device
  const access = buildClaims({ ...fresh, type: 'access', device: bare, isRegistered: true })
  t.false('device_rotation' in access.data.user)
  t.deepEqual(readClaims({ ...access })?.device, bare)
  t.true(readClaims({ ...access })?.isRegistered)
})

test('half a device is one of a chain that is nowhere', (t) => {
  const device = (user: object) => readClaims({ data: { user } })?.device
  t.deepEqual(device({ device: 'phone' }), { name: 'phone', chain: '' })
  t.deepEqual(device({ device_chain: 'c1' }), { name: '', chain: 'c1' })
  t.deepEqual(device({ device: 7, device_chain: {} }), { name: '', chain: '' })
  t.is(device({ device_rotation: 7 }), undefined)
})

test('claims that are absent are undefined', (t) => {
  const nothing = {
    issuer: undefined,
    issuedAt: undefined,
    notBefore: undefined,
    expiresAt: undefined,
    userId: undefined,
    login: undefined,
    email: undefined,
    apiKey: undefined,
    tokenType: undefined,
    id: undefined,
    audience: undefined,
    scopes: undefined,
    secretVersion: 0,
    device: undefined,
    isRegistered: false,
  }
  for (const claims of [{}, { data: null }, { data: 'x' }, { data: [] }, { data: { user: 7 } }]) {
    t.deepEqual(readClaims(claims), nothing)
  }
})

for (const time of [null, '1700000000', true, Number.NaN, Number.POSITIVE_INFINITY, [1], {}]) {
  for (const name of ['exp', 'nbf', 'iat']) {
    test(`a token whose ${name} is ${inspect(time)} was never ours`, (t) => {
      t.is(readClaims({ [name]: time }), undefined)
    })
  }
}

for (const id of [0, -1, 1.5, '7', null, true, 2 ** 53, Number.NaN, [7]]) {
  test(`a user id cannot be ${inspect(id)}`, (t) => {
    t.is(readClaims({ data: { user: { id } } })?.userId, undefined)
  })
}

for (const value of ['', 7, null, true, ['7key'], { toString: '7key' }]) {
  test(`a login, an e-mail, a key or an issuer cannot be ${inspect(value)}`, (t) => {
    const claims = readClaims({
      iss: value,
      data: { user: { user_login: value, user_email: value, api_key: value, token_type: value } },
    })
    t.like(claims, {
      issuer: undefined,
      login: undefined,
      email: undefined,
      apiKey: undefined,
      tokenType: undefined,
    })
  })
}

const times = (fields: Partial<PresentedToken>): PresentedToken => ({
  ...(readClaims({}) as PresentedToken),
  ...fields,
})

// RFC 7519: "on or after exp" it must be refused, "before nbf" too. No leeway.
for (const [fields, now, expected] of [
  [{ expiresAt: 1000 }, 999, true],
  [{ expiresAt: 1000 }, 1000, false],
  [{ expiresAt: 1000 }, 1001, false],
  [{ expiresAt: 1000.5 }, 1000, true],
  [{ expiresAt: 0 }, 1, false],
  [{ expiresAt: -5 }, 1, false],
  [{ notBefore: 1000 }, 999, false],
  [{ notBefore: 1000 }, 1000, true],
  [{ notBefore: 1000.5 }, 1000, false],
  [{ issuedAt: 1000 }, 999, false],
  [{ issuedAt: 1000 }, 1000, true],
  [{ expiresAt: 1000, notBefore: 1000 }, 1000, false],
  [{ expiresAt: 2000, notBefore: 1000, issuedAt: 1500 }, 1200, false],
  [{}, 0, true],
] as const) {
  test(`at ${now} a token with ${JSON.stringify(fields)} is ${expected ? '' : 'not '}current`, (t) => {
    t.is(isCurrent(times(fields), now), expected)
  })
}
