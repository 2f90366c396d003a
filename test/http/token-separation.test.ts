import type { ExecutionContext } from 'ava'
import { sendPlain } from '../helpers/raw-request.js'
import { bearer, type LoggedIn, onEachDatabase, type Service } from '../helpers/with-service.js'

// Access and authentication stay separate: whoever has stolen a token cannot make it outlive its key,
// because no token can mint, revoke, rename or list key-pairs or change a password.

interface Operation {
  method: string
  path: string
  body?: object
}

interface World {
  service: Service
  tokens: string[]
  browser: LoggedIn
  operations: Operation[]
}

async function createWorld(service: Service): Promise<World> {
  const user = await service.createUser('root', 'administrator')
  const pair = await service.mint(user.id, 'Stolen')
  const { access_token, refresh_token } = await service.exchange(pair)
  const path = `/key-pair/${user.id}`
  return {
    service,
    tokens: [access_token, refresh_token],
    browser: await service.logIn('root'),
    operations: [
      { method: 'GET', path },
      { method: 'POST', path, body: { name: 'Minted' } },
      { method: 'PATCH', path: `${path}/${pair.api_key}`, body: { name: 'Renamed' } },
      { method: 'DELETE', path: `${path}/${pair.api_key}/revoke` },
      { method: 'DELETE', path: `${path}/revoke-all` },
      {
        method: 'POST',
        path: '/users/me/password',
        body: { old_password: 'root-pass-1', new_password: 'stolen-account' },
      },
    ],
  }
}

/** The native method, and the ways to spell it over a POST. */
function disguises({ method, path, body }: Operation) {
  const sent = (over: object) => JSON.stringify({ ...body, ...over })
  return [
    { method, path, headers: {}, body: method === 'GET' ? '' : sent({}) },
    ...['X-HTTP-Method-Override', 'x-http-method', 'X-Method-Override'].map((name) => ({
      method: 'POST',
      path,
      headers: { [name]: method },
      body: sent({}),
    })),
    { method: 'POST', path: `${path}?_method=${method}`, headers: {}, body: sent({}) },
    { method: 'POST', path, headers: {}, body: sent({ _method: method }) },
    {
      method: 'GET',
      path: `${path}?_method=${method}`,
      headers: { 'X-HTTP-Method-Override': method },
    },
  ]
}

function spellings(path: string): string[] {
  const [bare = '', query] = path.split('?')
  const and = query === undefined ? '' : `?${query}`
  const more = query === undefined ? '' : `&${query}`
  const encodedLetter = bare.replace('e', '%65')
  return [
    `/wp/v2${bare}${and}`,
    `/wp-json/wp/v2${bare}${and}`,
    `/index.php?rest_route=/wp/v2${bare}${more}`,
    `/?rest_route=/wp/v2${bare}${more}`,
    `/?rest_route=${encodeURIComponent(`/wp/v2${bare}`)}${more}`,
    `/?rest_route=/&rest_route=/wp/v2${bare}${more}`,
    `/wp/v2${bare}/${and}`,
    `/wp/v2${bare}//${and}`,
    `//wp/v2${bare}${and}`,
    `/wp-json//wp/v2${bare}${and}`,
    `/wp/v2/${bare}${and}`,
    `/WP/V2${bare.toUpperCase()}${and}`,
    `/Wp-Json/wp/v2${bare}${and}`,
    `/wp/v2${bare.replaceAll('/', '%2f')}${and}`,
    `/wp/v2${bare.replaceAll('/', '%252f')}${and}`,
    `/wp/v2${bare.replaceAll('/', '\\')}${and}`,
    `/wp/v2${encodedLetter}${and}`,
    `/w%70/v2${bare}${and}`,
    `/wp/v2${bare};x=1${and}`,
    `/wp/v2;x=1${bare}${and}`,
    `/wp/v2/./${bare.slice(1)}${and}`,
    `/wp/v2/x/..${bare}${and}`,
    `/login/../wp/v2${bare}${and}`,
    `/wp/v2${bare}%00${and}`,
    `/wp/v2${bare}.json${and}`,
    `/wp/v2${bare}?${more}#`,
    `http://example.org/wp/v2${bare}${and}`,
  ]
}

/** How a token can come along; some with the cookies of its own user's browser beside it. */
function carriers(token: string, { cookie, nonce }: LoggedIn): Record<string, string>[] {
  const name = cookie.split('=')[0]
  return [
    bearer(token),
    { ...bearer(token), Cookie: cookie },
    { ...bearer(token), Cookie: cookie, 'X-WP-Nonce': nonce },
    { Authorization: `bearer   ${token}`, Cookie: cookie, 'X-WP-Nonce': nonce },
    { Authorization: `BEARER ${token}`, Cookie: cookie, 'X-WP-Nonce': nonce },
    { Authorization: `Bearer\t${token}`, Cookie: cookie },
    { Authorization: token, 'X-WP-Nonce': nonce },
    { Authorization: `Basic ${btoa(`root:${token}`)}` },
    { Cookie: `${name}=${token}` },
    { Cookie: `${name}=${token}`, 'X-WP-Nonce': token },
    { Cookie: `${name}=${token}`, 'X-WP-Nonce': nonce },
    { Cookie: `${name}=; ${cookie}`, 'X-WP-Nonce': token },
    { 'X-API-Key': token, 'X-WP-Nonce': nonce },
  ]
}

/** Everything that a token must not change. */
async function state({ runtime: { db, services } }: Service): Promise<string> {
  // "Last used" is written a little later, and may change.
  await services.usage.flush()
  const tables = ['key_pairs', 'users', 'sessions']
  return JSON.stringify(await Promise.all(tables.map((table) => db(table).orderBy('id'))))
}

async function assertRefused(
  t: ExecutionContext,
  service: Service,
  path: string,
  init: { method: string; headers: Record<string, string>; body?: string },
): Promise<void> {
  const headers = { ...init.headers, ...(init.body && { 'Content-Type': 'application/json' }) }
  const { status, text } = await sendPlain(service.url, path, { ...init, headers })
  const what = `${init.method} ${path} ${JSON.stringify(init.headers)}: ${text}`
  t.true([400, 401, 403, 404].includes(status), what)
  t.false(text.includes('"row"') || text.includes('"created"'), what)
}

onEachDatabase('no token does it by any spelling or disguise', async (t, service) => {
  const { tokens, browser, operations } = await createWorld(service)
  const before = await state(service)
  for (const token of tokens) {
    // With all that its user's browser would bring, the token still makes it a token's request.
    const carried = { ...bearer(token), Cookie: browser.cookie, 'X-WP-Nonce': browser.nonce }
    for (const operation of operations) {
      for (const { path, ...disguise } of disguises(operation)) {
        await Promise.all(
          spellings(path).map((spelling) =>
            assertRefused(t, service, spelling, {
              ...disguise,
              headers: { ...disguise.headers, ...carried },
            }),
          ),
        )
      }
    }
  }
  t.is(await state(service), before)
  t.false(service.log().includes('"level":50'))
})

onEachDatabase('no token does it wherever in the request it stands', async (t, service) => {
  const { tokens, browser, operations } = await createWorld(service)
  const before = await state(service)
  for (const token of tokens) {
    for (const { method, path, body } of operations) {
      const plain = body && JSON.stringify(body)
      for (const headers of carriers(token, browser)) {
        await assertRefused(t, service, `/wp/v2${path}`, {
          method,
          headers,
          ...(plain && { body: plain }),
        })
      }
      const query = `?access_token=${token}&token=${token}&_wpnonce=${browser.nonce}`
      const named = { access_token: token, refresh_token: token, token, _wpnonce: browser.nonce }
      await assertRefused(t, service, `/wp/v2${path}${query}`, {
        method,
        headers: { Cookie: browser.cookie },
        ...(method !== 'GET' && { body: JSON.stringify({ ...body, ...named }) }),
      })
    }
  }
  t.is(await state(service), before)
})

onEachDatabase(
  'neither does the key-pair itself, nor a cookie without its nonce',
  async (t, service) => {
    const { operations } = await createWorld(service)
    const browser = await service.logIn('root')
    const other = await service.logIn('root')
    const pair = await service.mint(browser.user.id, 'Another')
    const before = await state(service)
    const basic = btoa(`${pair.api_key}:${pair.api_secret}`)
    for (const { method, path, body } of operations) {
      for (const headers of [
        {},
        { Authorization: `Basic ${basic}` },
        { Cookie: browser.cookie },
        { 'X-WP-Nonce': browser.nonce },
        { Cookie: browser.cookie, 'X-WP-Nonce': '' },
        { Cookie: browser.cookie, 'X-WP-Nonce': other.nonce },
        { Cookie: browser.cookie, 'X-WP-Nonce': `${browser.nonce}x` },
        { Cookie: browser.cookie, 'X-WP-Nonce': browser.nonce.toUpperCase() },
      ] as Record<string, string>[]) {
        await assertRefused(t, service, `/wp/v2${path}`, {
          method,
          headers,
          ...(method !== 'GET' && { body: JSON.stringify({ ...body, ...pair }) }),
        })
      }
    }
    t.is(await state(service), before)
  },
)

onEachDatabase('the same requests do it with a session and its nonce', async (t, service) => {
  // Else the refusals above would prove nothing.
  const { browser, operations } = await createWorld(service)
  for (const { method, path, body } of operations) {
    const { status, text } = await sendPlain(service.url, `/wp/v2${path}`, {
      method,
      headers: { ...browser.headers, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    t.is(status, 200, `${method} ${path}: ${text}`)
  }
})
