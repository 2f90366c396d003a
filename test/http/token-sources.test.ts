import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { koaBody } from 'koa-body'
import { requireToken, type TokenState } from '../../src/index.js'
import { bearer, onEachDatabase } from '../helpers/with-service.js'

const env = { TOKEN_HEADER: 'X-Api-Token', TOKEN_COOKIE: 'token', TOKEN_FIELD: 'access_token' }
const me = '/wp/v2/users/me'
const validate = '/wp/v2/token/validate'

onEachDatabase(
  'a token may stand where the configuration says, and in one place only',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    const pair = await service.mint(id)
    const { access_token, refresh_token } = await service.exchange(pair)
    const ask = async (path: string, headers: Record<string, string>, method = 'GET') => {
      const response = await service.fetch(path, { method, headers })
      const text = await response.text()
      return [response.status, text === '' ? '' : JSON.parse(text).code]
    }
    const inHeader = { 'X-Api-Token': access_token }
    const inCookie = { Cookie: `other=1; token=${access_token}` }
    for (const headers of [inHeader, inCookie, { 'x-api-token': `Bearer ${access_token}` }]) {
      t.is((await ask(me, headers))[0], 200)
      t.deepEqual(await ask(validate, headers), [200, 'rest_authentication_valid_access_token'])
    }
    t.deepEqual(await ask('/forward-auth', inHeader), [204, ''])
    // A staging server's Basic stays out of it.
    t.is((await ask(me, { ...inHeader, Authorization: 'Basic YTpi' }))[0], 200)
    t.is((await ask(me, { 'X-Api-Token': refresh_token }))[0], 403)

    const several = [400, 'rest_authentication_several_tokens']
    t.deepEqual(await ask(me, { ...inHeader, ...bearer(access_token) }), several)
    t.deepEqual(await ask(validate, { ...inHeader, ...bearer(access_token) }), several)
    // The browser adds its cookie unasked: what the client says itself goes before it.
    t.is((await ask(me, { Cookie: 'token=x.y.z', ...bearer(access_token) }))[0], 200)
    t.is((await ask(me, { Cookie: 'token=x.y.z', ...inHeader }))[0], 200)
    t.is((await ask(me, { Cookie: 'token=x.y.z' }))[0], 403)

    // Another site can make a browser send its cookie, but not read what it is answered.
    t.is((await ask('/forward-auth', inCookie))[0], 401)
    t.is((await ask('/forward-auth', { ...inCookie, 'X-Forwarded-Method': 'POST' }))[0], 401)
    t.is((await ask('/forward-auth', { ...inCookie, 'X-Forwarded-Method': 'GET' }))[0], 204)
    // Whoever exchanges has other uses for the header.
    const exchanged = await service.json('/wp/v2/token', { fields: { ...pair }, headers: inHeader })
    t.is(exchanged.status, 200)
    t.is((await ask(`${me}?access_token=${access_token}`, {}))[0], 401)
    t.is((await ask(`${me}?token=${access_token}`, {}))[0], 401)
  },
  env,
)

onEachDatabase('nowhere, unless the configuration says so', async (t, service) => {
  const { id } = await service.createUser('ada')
  const { access_token } = await service.exchange(await service.mint(id))
  const headers = { 'X-Api-Token': access_token, Cookie: `token=${access_token}` }
  t.is((await service.json(me, { headers })).status, 401)
})

onEachDatabase(
  'an application that embeds the check reads it in the same places, and in forms',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    const { access_token } = await service.exchange(await service.mint(id))
    const { services } = service.runtime
    const app = new Koa<TokenState>()
      .use(koaBody())
      // Twice, as where an application guards everything and a route once more.
      .use(requireToken(services))
      .use(requireToken(services))
      .use((ctx) => {
        ctx.body = { name: ctx.state.user.login, sent: ctx.request.body }
      })
    const server = createServer(app.callback())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ask = async (headers: Record<string, string>, fields?: Record<string, string>) => {
      const body = fields ? new URLSearchParams(fields) : null
      const response = await fetch(url, { method: fields ? 'POST' : 'GET', headers, body })
      return { status: response.status, body: (await response.json()) as any }
    }
    try {
      t.is((await ask({ 'X-Api-Token': access_token })).status, 200)
      t.is((await ask({ Cookie: `token=${access_token}` })).status, 200)
      t.is((await ask({ Cookie: `token=${access_token}` }, { a: '1' })).status, 401)
      const form = await ask({}, { access_token, a: '1' })
      t.deepEqual([form.status, form.body], [200, { name: 'ada', sent: { a: '1' } }])
      const both = await ask(bearer(access_token), { access_token })
      t.deepEqual([both.status, both.body.code], [400, 'rest_authentication_several_tokens'])
      t.is((await ask({}, { other: access_token })).status, 401)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  },
  env,
)
