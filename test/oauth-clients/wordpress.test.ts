import apiFetchModule from '@wordpress/api-fetch'
import WPAPI from 'wpapi'
import { onEachDatabaseAlone } from '../helpers/with-nodes.js'
import { onEachDatabase } from '../helpers/with-service.js'

// Its types describe a CommonJS module, its code is none.
const apiFetch = apiFetchModule as unknown as typeof apiFetchModule.default

onEachDatabase('wpapi discovers the API and reads its own user', async (t, service) => {
  const user = await service.createUser('ada')
  const { access_token } = await service.exchange(await service.mint(user.id))
  // What a site's address is to it: a page, whose headers point to the API.
  const site = await WPAPI.discover(`${service.url}/login`)
  const me = await site.users().me().setHeaders('Authorization', `Bearer ${access_token}`)
  t.is(me.id, user.id)
  t.is(me.slug, 'ada')
  const refused = (await t.throwsAsync(
    async () => site.users().me().setHeaders('Authorization', 'Bearer x'),
    { any: true },
  )) as { code?: string } | undefined
  t.is(refused?.code, 'rest_authentication_token_error')
})

onEachDatabaseAlone(
  '@wordpress/api-fetch manages key-pairs with a session and its nonce',
  async (t, service) => {
    const user = await service.createUser('ada')
    const { cookie, nonce } = await service.logIn('ada')
    const sent: string[] = []
    // What a browser adds, and what it would be seen to send.
    const inBrowser: Parameters<typeof apiFetch.use>[0] = (options, next) => {
      sent.push(`${options.method ?? 'GET'} ${options.url ?? options.path}`)
      return next({ ...options, headers: { ...options.headers, Cookie: cookie } })
    }
    const used = [
      inBrowser,
      apiFetch.createRootURLMiddleware(`${service.url}/wp-json/`),
      apiFetch.createNonceMiddleware(nonce),
    ]
    for (const middleware of used) apiFetch.use(middleware)
    try {
      const path = `/wp/v2/key-pair/${user.id}`
      const minted = await apiFetch<{ api_secret: string; row: { api_key: string } }>({
        path,
        method: 'POST',
        data: { name: 'Shop' },
      })
      const apiKey = minted.row.api_key
      const renamed = await apiFetch<{ name: string }>({
        path: `${path}/${apiKey}`,
        method: 'PATCH',
        data: { name: 'Webshop' },
      })
      t.is(renamed.name, 'Webshop')
      const list = await apiFetch<{ name: string }[]>({ path })
      t.deepEqual(
        list.map(({ name }) => name),
        ['Webshop'],
      )
      const tokens = await apiFetch<{ access_token: string }>({
        path: '/wp/v2/token',
        method: 'POST',
        data: { api_key: apiKey, api_secret: minted.api_secret },
      })
      t.is(typeof tokens.access_token, 'string')
      t.true(await apiFetch({ path: `${path}/${apiKey}/revoke`, method: 'DELETE' }))
      t.deepEqual(await apiFetch({ path }), [])
      t.true(
        sent.every((line) => line.includes(`${service.url}/wp-json/`)),
        sent.join(),
      )
      const refused = await t.throwsAsync(apiFetch({ path: '/wp/v2/key-pair/999999' }), {
        any: true,
      })
      t.like(refused, { code: 'rest_authentication_edit_user_error' })
    } finally {
      for (const middleware of used) apiFetch.unregister(middleware)
    }
  },
)

onEachDatabaseAlone(
  '@wordpress/api-fetch turns DELETE into POST, and we turn it back',
  async (t, service) => {
    const user = await service.createUser('ada')
    const { cookie, nonce } = await service.logIn('ada')
    const pair = await service.mint(user.id)
    const requests: [string | undefined, string | null][] = []
    const realFetch = globalThis.fetch
    globalThis.fetch = (input, init) => {
      const headers = new Headers(init?.headers)
      requests.push([init?.method, headers.get('X-HTTP-Method-Override')])
      return realFetch(input, init)
    }
    try {
      const done = await apiFetch({
        url: `${service.url}/wp-json/wp/v2/key-pair/${user.id}/${pair.api_key}/revoke`,
        method: 'DELETE',
        headers: { Cookie: cookie, 'X-WP-Nonce': nonce },
      })
      t.true(done)
      t.deepEqual(requests, [['POST', 'DELETE']])
    } finally {
      globalThis.fetch = realFetch
    }
  },
)
