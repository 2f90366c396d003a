import { nonceOf } from '../../src/domain/session.js'
import { multipart, multipartType } from '../helpers/multipart.js'
import { sendPlain } from '../helpers/raw-request.js'
import { bearer, onEachDatabase, passwordOf, type Service } from '../helpers/with-service.js'

const fortnight = 14 * 24 * 60 * 60

async function whoIs(service: Service, headers: Record<string, string>) {
  const session = await service.json('/session', { headers })
  const me = await service.json('/wp/v2/users/me', { headers })
  return { session: session.status, me: me.status }
}

onEachDatabase(
  'logging in answers user and nonce, with a cookie for browsers',
  async (t, service) => {
    const user = await service.createUser('ada', 'editor')
    const fields = { user_login: 'ada', password: passwordOf('ada') }
    const parts = Object.entries(fields).map(([name, value]) => ({ name, value }))
    for (const init of [
      { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) },
      { body: new URLSearchParams(fields) },
      { headers: { 'Content-Type': multipartType }, body: multipart(parts) },
      { body: new URLSearchParams({ ...fields, user_login: ' ada@sample.org ' }) },
      { body: new URLSearchParams({ ...fields, user_login: 'ADA' }) },
    ]) {
      const response = await service.fetch('/login', { method: 'POST', ...init })
      const body = (await response.json()) as any
      t.is(response.status, 200)
      t.is(response.headers.get('Cache-Control'), 'no-store')
      t.deepEqual(Object.keys(body), ['user', 'nonce'])
      t.is(body.user.id, user.id)
      t.is(body.user.username, 'ada')
      t.notRegex(JSON.stringify(body), /argon2|password/)

      const [cookie = '', ...more] = response.headers.getSetCookie()
      t.deepEqual(more, [])
      const [pair = '', ...attributes] = cookie.split('; ')
      const [name, token = ''] = pair.split('=')
      t.is(name, 'twinkey_session')
      t.regex(token, /^[\w-]{43}$/)
      const [path, expires, ...flags] = attributes
      t.is(path, 'path=/')
      const lifetime = Date.parse(expires?.replace('expires=', '') ?? '') / 1000 - service.now()
      t.true(Math.abs(lifetime - fortnight) < 10)
      t.deepEqual(flags, ['samesite=lax', 'httponly'])

      const session = await service.json('/session', { headers: { Cookie: pair } })
      t.deepEqual(session.body, { user: body.user, nonce: body.nonce })
      t.is(session.headers.get('Cache-Control'), 'no-store')
      const rows = JSON.stringify(await service.runtime.db('sessions'))
      t.false(rows.includes(token), 'the database has only its hash')
      t.false(service.log().includes(token))
    }
    t.false(service.log().includes(passwordOf('ada')))
  },
)

onEachDatabase(
  'behind https the cookie is Secure and bound to this very host',
  async (t, service) => {
    await service.createUser('ada')
    const { cookie, headers } = await service.logIn('ada')
    const response = await service.fetch('/login', {
      method: 'POST',
      body: new URLSearchParams({ user_login: 'ada', password: passwordOf('ada') }),
    })
    const [set = ''] = response.headers.getSetCookie()
    t.true(set.startsWith('__Host-twinkey_session='))
    t.deepEqual(set.split('; ').slice(3), ['samesite=lax', 'secure', 'httponly'])
    t.regex(response.headers.get('Strict-Transport-Security') ?? '', /max-age=\d+/)
    t.deepEqual(await whoIs(service, headers), { session: 200, me: 200 })
    const planted = {
      Cookie: cookie.replace('__Host-', ''),
      'X-WP-Nonce': headers['X-WP-Nonce'] ?? '',
    }
    t.deepEqual(await whoIs(service, planted), { session: 401, me: 401 })
  },
  { PUBLIC_URL: 'https://keys.example.org' },
)

onEachDatabase('a wrong password and an unknown user get the same answer', async (t, service) => {
  await service.createUser('ada')
  const texts = new Set<string>()
  for (const [user_login, password] of [
    ['ada', 'wrong'],
    ['nobody', 'wrong'],
    ['ada@sample.org', ` ${passwordOf('ada')}`],
    ['nobody@sample.org', passwordOf('ada')],
    ['', ''],
    ["' or 1=1 --", 'x'],
    ['👍', '👍'],
  ] as const) {
    const response = await service.fetch('/login', {
      method: 'POST',
      body: new URLSearchParams({ user_login, password }),
    })
    t.is(response.status, 401, user_login)
    t.deepEqual(response.headers.getSetCookie(), [])
    texts.add(await response.text())
  }
  t.deepEqual(
    [...texts],
    [
      '{"code":"incorrect_password","message":"The username or password is incorrect.","data":{"status":401}}',
    ],
  )
})

onEachDatabase(
  'a disabled user is told so, but only with the right password',
  async (t, service) => {
    const user = await service.createUser('ada')
    const { headers } = await service.logIn('ada')
    await service.runtime.services.users.disable(user.id)
    t.deepEqual(await whoIs(service, headers), { session: 401, me: 401 })
    const logIn = async (password: string) =>
      (await service.json('/login', { json: { user_login: 'ada', password } })).body.code
    t.is(await logIn('wrong'), 'incorrect_password')
    t.is(await logIn(passwordOf('ada')), 'rest_authentication_disabled_user')
    await service.runtime.services.users.enable(user.id)
    t.deepEqual(await whoIs(service, headers), { session: 401, me: 401 }, 'the old session is gone')
    const again = await service.logIn('ada')
    await service.runtime.services.users.delete(user.id)
    t.deepEqual(await whoIs(service, again.headers), { session: 401, me: 401 })
    t.is(await logIn(passwordOf('ada')), 'incorrect_password')
  },
)

onEachDatabase('a session ends after fourteen days', async (t, service) => {
  await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  service.advance(fortnight - 10)
  t.deepEqual(await whoIs(service, headers), { session: 200, me: 200 })
  service.advance(10)
  t.deepEqual(await whoIs(service, headers), { session: 401, me: 401 })
})

onEachDatabase('logging out ends this session, and no other', async (t, service) => {
  await service.createUser('ada')
  const here = await service.logIn('ada')
  const there = await service.logIn('ada')
  const wrong = await service.json('/logout', {
    method: 'POST',
    headers: { Cookie: here.cookie, 'X-WP-Nonce': there.nonce },
  })
  t.is(wrong.body.code, 'rest_cookie_invalid_nonce')
  t.deepEqual(await whoIs(service, here.headers), { session: 200, me: 200 })

  const response = await service.fetch('/logout', { method: 'POST', headers: here.headers })
  t.is(response.status, 200)
  t.deepEqual(await response.json(), { logged_out: true })
  t.regex(
    response.headers.getSetCookie()[0] ?? '',
    /^twinkey_session=; path=\/; expires=Thu, 01 Jan 1970/,
  )
  t.deepEqual(await whoIs(service, here.headers), { session: 401, me: 401 })
  t.deepEqual(await whoIs(service, there.headers), { session: 200, me: 200 })

  for (const headers of [{}, here.headers, { Cookie: 'twinkey_session=garbage' }]) {
    const again = await service.json('/logout', {
      method: 'POST',
      headers: headers as Record<string, string>,
    })
    t.is(again.status, 200, 'who is not logged in is logged out')
  }
  await service.fetch('/logout', { headers: { Cookie: there.cookie } })
  t.deepEqual(await whoIs(service, there.headers), { session: 200, me: 200 }, 'nor can a link')
})

onEachDatabase('cookies and nonces that nobody gave out are no session', async (t, service) => {
  await service.createUser('ada')
  const { cookie, nonce } = await service.logIn('ada')
  const token = cookie.split('=')[1] ?? ''
  const made = 'A'.repeat(43)
  for (const [value, sentNonce] of [
    ['', nonce],
    [made, nonceOf(made)],
    ['x', nonceOf('x')],
    [`${token}A`, nonceOf(`${token}A`)],
    [token.toLowerCase(), nonceOf(token.toLowerCase())],
    ['%00', nonceOf('%00')],
    ['x'.repeat(5000), nonceOf('x'.repeat(5000))],
  ] as const) {
    const headers = { Cookie: `twinkey_session=${value}`, 'X-WP-Nonce': sentNonce }
    t.deepEqual(await whoIs(service, headers), { session: 401, me: 401 }, value.slice(0, 50))
  }
  for (const path of ['/session', '/wp/v2/users/me']) {
    const { status } = await sendPlain(service.url, path, {
      headers: { Cookie: 'twinkey_session="\xff\xfe"; ;=;=x', 'X-WP-Nonce': '\xff' },
    })
    t.true(status === 401 || status === 403)
  }
  t.false(service.log().includes('"level":50'))
})

onEachDatabase('a page of another site can neither log in nor out', async (t, service) => {
  await service.createUser('ada')
  const { cookie, headers } = await service.logIn('ada')
  const json = { user_login: 'ada', password: passwordOf('ada') }
  const { host, port } = new URL(service.url)
  for (const origin of [
    'https://evil.example',
    'null',
    `http://evil.example:${port}`,
    `http://${host}.evil.example`,
    `http://user@evil.example/${host}`,
    'file://',
    'garbage',
  ]) {
    for (const path of ['/login', '/logout']) {
      const answer = await service.json(path, {
        headers: { Cookie: cookie, Origin: origin },
        json,
      })
      t.is(answer.status, 403, origin)
      t.is(answer.body.code, 'rest_cross_origin')
      t.deepEqual(answer.headers.getSetCookie(), [])
    }
  }
  t.deepEqual(await whoIs(service, headers), { session: 200, me: 200 })
  const own = await service.json('/login', { headers: { Origin: service.url }, json })
  t.is(own.status, 200)
  t.is(
    (await service.json('/logout', { headers: { Origin: service.url, Cookie: cookie }, json: {} }))
      .status,
    200,
  )
})

onEachDatabase(
  'a page that came over http is another site’s, where the service is https',
  async (t, service) => {
    await service.createUser('ada')
    const body = new URLSearchParams({ user_login: 'ada', password: passwordOf('ada') }).toString()
    const logIn = (host: string, origin: string) =>
      sendPlain(service.url, '/login', {
        method: 'POST',
        headers: {
          Host: host,
          Origin: origin,
          'Content-Type': 'application/x-www-form-urlencoded',
          Accept: 'application/json',
        },
        body,
      })
    const { host } = new URL(service.url)
    for (const [at, origin, status] of [
      ['keys.example.org', 'https://keys.example.org', 200],
      ['keys.example.org', 'http://keys.example.org', 403],
      // By another name, as behind a proxy or on the machine itself.
      [host, service.url, 200],
    ] as const) {
      t.is((await logIn(at, origin)).status, status, origin)
    }
  },
  { PUBLIC_URL: 'https://keys.example.org' },
)

onEachDatabase('a token is no session, and a session needs no token', async (t, service) => {
  const user = await service.createUser('ada')
  const { access_token } = await service.exchange(await service.mint(user.id))
  t.is((await service.json('/session', { headers: bearer(access_token) })).status, 401)
  const cookie = { Cookie: `twinkey_session=${access_token}` }
  t.is((await service.json('/session', { headers: cookie })).status, 401)
})
