import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import Koa from 'koa'
import { operator } from '../../src/domain/actor.js'
import { requireToken, type TokenState } from '../../src/index.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

const env = { KEY_PAIR_SCOPES: 'orders:read=Read orders;orders:write=Change orders' }

/** An API as somebody would write it who embeds Twinkey: its own routes, with scopes of their own. */
function ordersApi({ services }: Service['runtime']): RequestListener {
  const orders = ['tea']
  const router = new Router<TokenState>()
  router.get('/orders', requireToken(services, { scope: 'orders:read' }), (ctx) => {
    ctx.body = { orders, for: ctx.state.user.login, key: ctx.state.apiKey }
  })
  router.post(
    '/orders',
    requireToken(services, { scope: ['orders:read', 'orders:write'] }),
    (ctx) => {
      orders.push('coffee')
      ctx.body = { orders, scopes: ctx.state.scopes }
    },
  )
  router.get('/me', requireToken(services), (ctx) => {
    ctx.body = { name: ctx.state.user.displayName }
  })
  return new Koa().use(router.routes()).callback()
}

async function withApi(service: Service, work: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(ordersApi(service.runtime))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

onEachDatabase(
  'a Koa application lets in whom its routes ask for',
  async (t, service) => {
    const user = await service.createUser('ada')
    const { keyPairs } = service.runtime.services
    const policy = { scopes: ['orders:read'] }
    const { keyPair, apiSecret } = await keyPairs.mint(operator, user.id, 'Reader', { policy })
    const reader = await service.exchange({ api_key: keyPair.apiKey, api_secret: apiSecret })
    const writer = await service.exchange(await service.mint(user.id))
    await withApi(service, async (url) => {
      const send = async (path: string, token?: string, method = 'GET') => {
        const response = await fetch(url + path, { method, headers: token ? bearer(token) : {} })
        const challenge = response.headers.get('WWW-Authenticate')
        return { status: response.status, body: (await response.json()) as any, challenge }
      }
      t.deepEqual((await send('/orders', reader.access_token)).body, {
        orders: ['tea'],
        for: 'ada',
        key: keyPair.apiKey,
      })
      const refused = await send('/orders', reader.access_token, 'POST')
      t.is(refused.status, 403)
      t.like(refused.body, { code: 'insufficient_scope', data: { status: 403 } })
      t.regex(
        refused.challenge ?? '',
        /^Bearer realm="\w+", error="insufficient_scope", error_description="[^"]+", scope="orders:read orders:write"$/,
      )
      t.deepEqual((await send('/orders', writer.access_token, 'POST')).body, {
        orders: ['tea', 'coffee'],
        scopes: ['orders:read', 'orders:write'],
      })

      const anonymous = await send('/me')
      t.is(anonymous.status, 401)
      t.is(anonymous.challenge, 'Bearer realm="Twinkey"')
      for (const token of ['x.y.z', reader.refresh_token]) {
        const { status, challenge } = await send('/me', token)
        t.is(status, 403)
        t.regex(challenge ?? '', /error="invalid_token"/)
      }
      t.deepEqual((await send('/me', reader.access_token)).body, { name: 'ada' })
      await keyPairs.change(operator, user.id, keyPair.apiKey, { scopes: ['orders:write'] })
      t.is((await send('/orders', reader.access_token)).body.code, 'insufficient_scope')
      await keyPairs.revoke(operator, user.id, keyPair.apiKey)
      t.is(
        (await send('/me', reader.access_token)).body.code,
        'rest_authentication_revoked_api_key',
      )
      t.is((await send('/me', writer.access_token)).status, 200)
    })
  },
  env,
)
