import { bearer, type LoggedIn, onEachDatabase, type Service } from '../helpers/with-service.js'

// What the profile script of the WP-API/jwt-auth plugin sends with jQuery, and what it reads of the
// answers: forms as jQuery encodes them, `Accept: */*`, the nonce in a header, DELETE without a body.

function scriptOf(service: Service, { user, cookie, nonce }: LoggedIn) {
  const root = '/wp-json/wp/v2/key-pair'
  const headers = { Accept: '*/*', 'X-Requested-With': 'XMLHttpRequest', Cookie: cookie }
  const ajax = async (url: string, method: string, data?: Record<string, string>, own = {}) => {
    const response = await service.fetch(url, {
      method,
      headers: {
        ...headers,
        ...own,
        ...(data && { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' }),
      },
      body: data ? new URLSearchParams(data).toString() : null,
    })
    assertJson(response)
    return { status: response.status, body: (await response.json()) as any }
  }
  const assertJson = (response: Response) => {
    // jQuery parses by content type: anything else would reach the script as text.
    const type = response.headers.get('content-type') ?? ''
    if (!type.startsWith('application/json')) throw new Error(`answered as ${type}`)
  }
  const withNonce = { 'X-WP-Nonce': nonce }
  return {
    mint: (name: string) => ajax(`${root}/${user.id}`, 'POST', { name }, withNonce),
    token: (data: { api_key: string; api_secret: string }) =>
      ajax('/wp-json/wp/v2/token', 'POST', data),
    revoke: (key: string) =>
      ajax(`${root}/${user.id}/${key}/revoke`, 'DELETE', undefined, withNonce),
    revokeAll: () => ajax(`${root}/${user.id}/revoke-all`, 'DELETE', undefined, withNonce),
  }
}

onEachDatabase('the plugin’s profile script finds what it reads', async (t, service) => {
  await service.createUser('ada')
  const script = scriptOf(service, await service.logIn('ada'))
  const name = 'Name & "quotes" + 100% 🔑'
  const minted = await script.mint(name)
  const { api_secret, row } = minted.body
  t.is(minted.status, 200)
  t.is(typeof api_secret, 'string')
  t.deepEqual(Object.keys(row).sort(), ['api_key', 'created', 'last_ip', 'last_used', 'name'])
  t.is(row.name, name)
  t.regex(row.created, /^[A-Z][a-z]+ \d{1,2}, \d{4} \d{1,2}:\d{2} (?:am|pm)$/)
  t.is(row.last_used, '—')
  t.is(row.last_ip, '—')

  const token = await script.token({ api_key: row.api_key, api_secret })
  t.is(token.status, 200)
  const headers = bearer(token.body.access_token)
  t.is((await service.json('/wp/v2/users/me', { headers })).status, 200)
  const refused = await script.token({ api_key: row.api_key, api_secret: 'wrong' })
  t.is(refused.status, 403)
  t.is(refused.body.message, 'The API key-pair is invalid.')

  t.is((await script.revoke(row.api_key)).body, true)
  t.is((await service.json('/wp/v2/users/me', { headers })).status, 403)
  await script.mint('Two')
  await script.mint('Three')
  t.is((await script.revokeAll()).body, 2)
  t.is((await script.revokeAll()).body, 0)
})
