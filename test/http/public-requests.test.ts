import type { Extensions } from '../../src/hooks.js'
import { requireToken } from '../../src/index.js'
import { withApi } from '../helpers/with-api.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

const publicPaths = ['/health', 'GET /articles/*']
const forwardAuth = { publicPaths, uriFrom: 'X-Forwarded-Uri', methodFrom: 'X-Forwarded-Method' }

async function visitor(service: Service) {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  return { user, pair, ...(await service.exchange(pair)) }
}

/** What a proxy is told that forwards this request. */
async function forward(service: Service, method: string, path: string, token?: string) {
  const response = await service.fetch('/forward-auth', {
    headers: {
      'X-Forwarded-Method': method,
      'X-Forwarded-Uri': path,
      ...(token !== undefined && bearer(token)),
    },
  })
  return { status: response.status, user: response.headers.get('X-Auth-User-Id') }
}

const anonymous = { status: 204, user: '' }
const refused = { status: 401, user: null }

onEachDatabase(
  'forward-auth lets public paths pass without a token, as nobody',
  async (t, service) => {
    const { user, pair, access_token, refresh_token } = await visitor(service)
    t.deepEqual(await forward(service, 'GET', '/health'), anonymous)
    t.deepEqual(await forward(service, 'POST', '/health?x=1'), anonymous)
    t.deepEqual(await forward(service, 'GET', '/articles/7'), anonymous)
    t.deepEqual(await forward(service, 'POST', '/articles/7'), refused)
    for (const path of [
      '/',
      '/orders',
      '/articles/../orders',
      '/articles/%2e%2e/orders',
      '/health/',
    ]) {
      t.deepEqual(await forward(service, 'GET', path), refused, path)
    }
    // A token that comes along is checked all the same.
    const known = { status: 204, user: String(user.id) }
    t.deepEqual(await forward(service, 'GET', '/health', access_token), known)
    for (const bad of ['x.y.z', refresh_token]) {
      t.deepEqual(await forward(service, 'GET', '/health', bad), refused)
    }
    await service.runtime.services.keyPairs.revoke({ kind: 'operator' }, user.id, pair.api_key)
    t.deepEqual(await forward(service, 'GET', '/health', access_token), refused)

    const response = await service.fetch('/forward-auth', {
      headers: { 'X-Forwarded-Uri': '/health' },
    })
    const identity = [...response.headers].filter(([name]) => name.startsWith('x-auth-'))
    t.deepEqual(identity.sort(), [
      ['x-auth-api-key', ''],
      ['x-auth-scopes', ''],
      ['x-auth-user-id', ''],
      ['x-auth-user-login', ''],
    ])
    // Only the headers that were named say what was asked for.
    const other = { 'X-Original-URI': '/health', 'X-Original-URL': '/health' }
    t.is((await service.fetch('/forward-auth', { headers: other })).status, 401)
    t.is((await service.fetch('/forward-auth/health', { headers: other })).status, 401)
    t.is((await service.fetch('/forward-auth')).status, 401)
  },
  {},
  { forwardAuth },
)

onEachDatabase(
  'forward-auth reads the path that Envoy appends, if told so',
  async (t, service) => {
    const ask = async (method: string, path: string) =>
      (await service.fetch(`/forward-auth${path}`, { method })).status
    t.is(await ask('GET', '/articles/7?page=1'), 204)
    t.is(await ask('POST', '/articles/7'), 401)
    t.is(await ask('GET', '/orders'), 401)
    t.is(await ask('GET', '/articles/..;/orders'), 401)
    t.is(await ask('GET', '?uri=/health'), 401)
    const headers = { 'X-Forwarded-Uri': '/health' }
    t.is((await service.fetch('/forward-auth/orders', { headers })).status, 401)
  },
  {},
  { forwardAuth: { publicPaths, uriFrom: 'request', methodFrom: 'request' } },
)

const hooks: Extensions = {
  forwardAuth: { uriFrom: 'X-Forwarded-Uri', methodFrom: 'X-Forwarded-Method' },
  hooks: {
    isRestRequest: (is, { path }) => is && path !== '/assets/logo.svg',
    rest_authentication_require_token: async (is, { method, path, surface }) =>
      is && !(method === 'GET' && path === `/${surface}`),
    invalidToken: ({ code }, { path }) => {
      if (path === '/feed') return 'anonymous'
      return path === '/told' ? { refuse: `We got ${code}.` } : 'refuse'
    },
  },
}

onEachDatabase(
  'hooks decide which forwarded requests need a token, and what a refused one means',
  async (t, service) => {
    const { user, access_token, refresh_token } = await visitor(service)
    const known = { status: 204, user: String(user.id) }
    t.deepEqual(await forward(service, 'GET', '/orders', access_token), known)
    t.deepEqual(await forward(service, 'GET', '/orders'), refused)
    t.deepEqual(await forward(service, 'GET', '/orders', 'x.y.z'), refused)
    // Not looked at, whatever comes.
    for (const token of [undefined, access_token, 'x.y.z']) {
      t.deepEqual(await forward(service, 'POST', '/assets/logo.svg', token), anonymous)
    }
    t.deepEqual(await forward(service, 'GET', '/forward-auth'), anonymous)
    t.deepEqual(await forward(service, 'GET', '/forward-auth', access_token), known)
    t.deepEqual(await forward(service, 'GET', '/forward-auth', 'x.y.z'), refused)
    t.deepEqual(await forward(service, 'POST', '/forward-auth'), refused)
    // A token that was refused makes nobody of its bearer, at most.
    t.deepEqual(await forward(service, 'GET', '/feed', access_token), known)
    for (const token of ['x.y.z', refresh_token]) {
      t.deepEqual(await forward(service, 'GET', '/feed', token), anonymous)
    }
    t.deepEqual(await forward(service, 'GET', '/feed'), refused)
    const told = await service.fetch('/forward-auth', {
      headers: { ...bearer('x.y.z'), 'X-Forwarded-Uri': '/told' },
    })
    t.is(told.status, 401)
    t.regex(told.headers.get('WWW-Authenticate') ?? '', /We got rest_authentication_token_error\./)
  },
  {},
  hooks,
)

onEachDatabase(
  'an application that embeds Twinkey has public paths, and the same hooks',
  async (t, service) => {
    const { access_token } = await visitor(service)
    const { services } = service.runtime
    const middleware = [
      (ctx: any, next: () => Promise<void>) => {
        // Somebody else's idea of who it is.
        ctx.state.user = { login: 'root' }
        return next()
      },
      requireToken(services, { publicPaths: ['/health', 'GET /articles/*'], scope: 'read' }),
      (ctx: any) => {
        ctx.body = { user: ctx.state.user?.login ?? null, key: ctx.state.apiKey ?? null }
      },
    ]
    await withApi(middleware, async (url) => {
      const ask = async (path: string, token?: string, method = 'GET') => {
        const headers = token === undefined ? {} : bearer(token)
        const response = await fetch(url + path, { method, headers })
        const body = (await response.json()) as any
        return body.code ?? body.user
      }
      t.is(await ask('/health'), null)
      t.is(await ask('/health', access_token), 'ada')
      t.is(await ask('/health', 'x.y.z'), 'rest_authentication_token_error')
      t.is(await ask('/articles/7'), null)
      t.is(await ask('/articles/7', undefined, 'POST'), 'rest_not_logged_in')
      t.is(await ask('/articles/%2e%2e%2forders'), 'rest_not_logged_in')
      t.is(await ask('/orders'), 'rest_not_logged_in')
      t.is(await ask('/orders', access_token), 'ada')
      t.is(await ask('/assets/logo.svg', 'x.y.z'), null)
      t.is(await ask('/require-token'), null)
      t.is(await ask('/require-token', undefined, 'POST'), 'rest_not_logged_in')
      t.is(await ask('/feed', 'x.y.z'), null)
      t.is(await ask('/feed'), 'rest_not_logged_in')
    })
    t.throws(() => requireToken(services, { publicPaths: ['public'] }), {
      instanceOf: TypeError,
      message: /publicPaths must be such as/,
    })
  },
  { KEY_PAIR_SCOPES: 'read=Read everything' },
  hooks,
)
