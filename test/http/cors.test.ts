import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

const app = 'https://app.example.com'
const preflight = {
  'Access-Control-Request-Method': 'DELETE',
  'Access-Control-Request-Headers': 'authorization, content-type, x-wp-nonce',
}

async function token(service: Service): Promise<string> {
  const user = await service.createUser('ada')
  return (await service.exchange(await service.mint(user.id))).access_token
}

/** Answers of the hot lane, of the router, and of failures. */
function requests(accessToken: string): [string, RequestInit][] {
  return [
    ['/wp/v2/token/validate', { headers: bearer(accessToken) }],
    ['/wp/v2/users/me', { headers: bearer(accessToken) }],
    ['/wp/v2/token/validate', {}],
    ['/wp/v2/token', { method: 'POST', body: new URLSearchParams({ api_key: 'x' }) }],
    ['/wp/v2/nope', {}],
    ['/wp-json/', {}],
  ]
}

const corsHeaders = ({ headers }: Response) =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'))

onEachDatabase(
  'without CORS_ORIGINS no other site’s page can read an answer',
  async (t, service) => {
    for (const [path, init] of requests(await token(service))) {
      const headers = { ...(init.headers as Record<string, string>), Origin: app }
      t.deepEqual(corsHeaders(await service.fetch(path, { ...init, headers })), [], path)
    }
    const response = await service.fetch('/wp/v2/key-pair/1', {
      method: 'OPTIONS',
      headers: { Origin: app, ...preflight },
    })
    t.deepEqual(corsHeaders(response), [])
  },
)

onEachDatabase(
  'the origins listed can, and no other',
  async (t, service) => {
    const accessToken = await token(service)
    for (const origin of [app, 'http://localhost:5173']) {
      for (const [path, init] of requests(accessToken)) {
        const headers = { ...(init.headers as Record<string, string>), Origin: origin }
        const response = await service.fetch(path, { ...init, headers })
        t.is(response.headers.get('Access-Control-Allow-Origin'), origin, path)
        t.is(response.headers.get('Vary'), 'Origin')
        t.is(response.headers.get('Access-Control-Allow-Credentials'), null)
        const exposed = response.headers.get('Access-Control-Expose-Headers') ?? ''
        t.deepEqual(exposed.split(','), [
          'X-WP-Total',
          'X-WP-TotalPages',
          'Link',
          'WWW-Authenticate',
          'Retry-After',
          'RateLimit',
          'RateLimit-Policy',
          'X-Request-Id',
        ])
      }
    }
    for (const origin of [
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.example',
      'https://evil.example',
      'https://APP.example.com',
      'null',
    ]) {
      for (const [path, init] of requests(accessToken)) {
        const headers = { ...(init.headers as Record<string, string>), Origin: origin }
        const response = await service.fetch(path, { ...init, headers })
        t.deepEqual(corsHeaders(response), [], `${origin} ${path}`)
      }
      const refused = await service.fetch('/wp/v2/token', {
        method: 'OPTIONS',
        headers: { Origin: origin, ...preflight },
      })
      t.is(refused.headers.get('Access-Control-Allow-Origin'), null)
    }
  },
  { CORS_ORIGINS: `${app}, http://localhost:5173/` },
)

onEachDatabase(
  'a preflight names methods and headers, before anything else looks at the request',
  async (t, service) => {
    for (const path of ['/wp/v2/key-pair/1', '/wp/v2/token', '/wp-json/', '/wp/v2/nope']) {
      const response = await service.fetch(path, {
        method: 'OPTIONS',
        headers: { Origin: app, ...preflight },
      })
      t.is(response.status, 204, path)
      t.is(await response.text(), '')
      t.is(response.headers.get('Access-Control-Allow-Origin'), app)
      t.is(response.headers.get('Access-Control-Max-Age'), '600')
      t.is(response.headers.get('Access-Control-Allow-Credentials'), null)
      t.regex(response.headers.get('Vary') ?? '', /Origin/)
      const methods = response.headers.get('Access-Control-Allow-Methods')?.split(',') ?? []
      t.deepEqual(methods, ['OPTIONS', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      const headers = response.headers.get('Access-Control-Allow-Headers')?.split(',') ?? []
      t.deepEqual(headers, [
        'Authorization',
        'X-WP-Nonce',
        'X-HTTP-Method-Override',
        'Content-Type',
      ])
    }
    const plain = await service.json('/wp/v2/token', {
      method: 'OPTIONS',
      headers: { Origin: app },
    })
    t.deepEqual(plain.body.methods, ['POST'], 'OPTIONS that is no preflight still describes')
  },
  { CORS_ORIGINS: app },
)

onEachDatabase(
  'with * everybody’s page can, but none with cookies',
  async (t, service) => {
    for (const [path, init] of requests(await token(service))) {
      const headers = { ...(init.headers as Record<string, string>), Origin: 'https://any.example' }
      const response = await service.fetch(path, { ...init, headers })
      t.is(response.headers.get('Access-Control-Allow-Origin'), '*', path)
      t.is(response.headers.get('Access-Control-Allow-Credentials'), null)
    }
    const login = await service.json('/login', {
      headers: { Origin: 'https://any.example' },
      json: { user_login: 'ada', password: 'ada-pass-1' },
    })
    t.is(login.body.code, 'rest_cross_origin')
  },
  { CORS_ORIGINS: '*' },
)

onEachDatabase(
  'pages of the origins listed, and no others, can use the refresh cookie, and no other cookie',
  async (t, service) => {
    const post = (path: string, origin: string, init: RequestInit = {}) =>
      service.fetch(path, { method: 'POST', headers: { Origin: origin }, ...init })
    const mayUseCookies = ({ headers }: Response) => headers.get('Access-Control-Allow-Credentials')
    for (const path of ['/wp-json/jwt-auth/v1/token', '/jwt-auth/v1/token/refresh']) {
      t.is(mayUseCookies(await post(path, app)), 'true', path)
      const headers = { Origin: app, ...preflight }
      const asked = await service.fetch(path, { method: 'OPTIONS', headers })
      t.is(mayUseCookies(asked), 'true', path)
      t.is(mayUseCookies(await post(path, 'https://evil.example')), null, path)
    }
    for (const path of [
      '/login',
      '/wp/v2/token',
      '/wp-json/jwt-auth',
      '/jwt-auth/v1/../../login',
    ]) {
      t.is(mayUseCookies(await post(path, app)), null, path)
    }
  },
  { CORS_ORIGINS: app },
)

onEachDatabase(
  'with * nobody’s page can use the refresh cookie',
  async (t, service) => {
    const headers = { Origin: app }
    const response = await service.fetch('/jwt-auth/v1/token', { method: 'POST', headers })
    t.is(response.headers.get('Access-Control-Allow-Credentials'), null)
    t.is(response.headers.get('Access-Control-Allow-Origin'), '*')
  },
  { CORS_ORIGINS: '*' },
)
