import { sendPlain } from '../helpers/raw-request.js'
import { bearer, onEachDatabase } from '../helpers/with-service.js'

const routes: Record<string, string[]> = {
  '/wp/v2/token': ['POST'],
  '/wp/v2/token/validate': ['GET'],
  '/wp/v2/audit': ['GET'],
  '/wp/v2/key-pair/(?P<user_id>[\\d]+)/(?P<api_key>[\\w-]+)/audit': ['GET'],
  '/wp/v2/key-pair/(?P<user_id>[\\d]+)': ['GET', 'POST'],
  '/wp/v2/key-pair/(?P<user_id>[\\d]+)/revoke-all': ['DELETE'],
  '/wp/v2/key-pair/(?P<user_id>[\\d]+)/(?P<api_key>[\\w-]+)': ['PATCH'],
  '/wp/v2/key-pair/(?P<user_id>[\\d]+)/(?P<api_key>[\\w-]+)/revoke': ['DELETE'],
  '/wp/v2/users': ['GET'],
  '/wp/v2/users/me': ['GET'],
  '/wp/v2/users/me/password': ['POST'],
  '/wp/v2/users/(?P<id>[\\d]+)': ['GET', 'PATCH'],
  '/jwt-auth/v1/token': ['POST'],
  '/jwt-auth/v1/token/validate': ['POST'],
  '/jwt-auth/v1/token/refresh': ['POST'],
}

const namespaceOf = (pattern: string) => pattern.split('/').slice(1, 3).join('/')

/** An address of a route, for its pattern. */
const example = (pattern: string) =>
  pattern.replace('(?P<api_key>[\\w-]+)', '1abc').replace(/\(\?P<\w+>\[\\d\]\+\)/, '1')

onEachDatabase(
  'the index lists the namespaces and every route, at each of its addresses',
  async (t, service) => {
    const texts = new Set<string>()
    for (const path of ['/wp-json', '/wp-json/', '/?rest_route=/', '/index.php?rest_route=/']) {
      const response = await service.fetch(path)
      t.is(response.status, 200, path)
      texts.add(await response.text())
    }
    t.is(texts.size, 1)
    const index = JSON.parse([...texts][0] ?? '')
    t.is(index.url, service.url)
    t.is(index.home, service.url)
    t.deepEqual(index.namespaces, ['wp/v2', 'jwt-auth/v1'])
    t.truthy(index.name)
    for (const [pattern, methods] of Object.entries(routes)) {
      const route = index.routes[pattern]
      t.is(route?.namespace, namespaceOf(pattern), pattern)
      t.deepEqual(route.methods, methods)
    }
  },
)

onEachDatabase('a namespace lists its routes, and no others', async (t, service) => {
  for (const namespace of ['wp/v2', 'jwt-auth/v1']) {
    const own = Object.keys(routes).filter((pattern) => namespaceOf(pattern) === namespace)
    for (const mount of ['/wp-json/', '/', '/index.php?rest_route=/']) {
      const { status, body } = await service.json(`${mount}${namespace}`)
      t.is(status, 200, mount)
      t.is(body.namespace, namespace)
      const listed = Object.keys(body.routes)
      for (const pattern of own) t.true(listed.includes(pattern), pattern)
      t.true(listed.every((pattern) => namespaceOf(pattern) === namespace))
    }
  }
})

onEachDatabase('OPTIONS describes a route, its methods and its parameters', async (t, service) => {
  for (const [pattern, methods] of Object.entries(routes)) {
    for (const mount of ['', '/wp-json', '/index.php?rest_route=']) {
      const path = mount + example(pattern)
      const { status, body, headers } = await service.json(path, { method: 'OPTIONS' })
      t.is(status, 200, path)
      t.is(headers.get('Allow'), methods.join(', '), path)
      t.is(body.namespace, namespaceOf(pattern))
      t.deepEqual(body.methods, methods)
      t.deepEqual(
        body.endpoints.flatMap((endpoint: any) => endpoint.methods),
        methods,
      )
    }
  }
  const { body } = await service.json('/wp/v2/token', { method: 'OPTIONS' })
  const { args } = body.endpoints[0]
  t.deepEqual(Object.keys(args), [
    ...['api_key', 'api_secret', 'refresh_token', 'scope', 'device', 'expires_in', 'expires_at'],
    ...['is_refreshable', 'is_revocable', 'claims', 'description'],
  ])
  t.false(args.api_key.required)
  t.is(args.api_key.type, 'string')
  const minting = await service.json('/wp/v2/key-pair/1', { method: 'OPTIONS' })
  t.true(minting.body.endpoints[1].args.name.required)
})

onEachDatabase('every answer links to the index, and none may be stored', async (t, service) => {
  const user = await service.createUser('ada')
  const { access_token } = await service.exchange(await service.mint(user.id))
  const link = `<${service.url}/wp-json/>; rel="https://api.w.org/"`
  for (const [path, init] of [
    ['/wp-json/', {}],
    ['/wp/v2/token', { method: 'POST' }],
    ['/wp/v2/token/validate', {}],
    ['/wp/v2/token/validate', { headers: bearer(access_token) }],
    ['/wp/v2/users/me', { headers: bearer(access_token) }],
    ['/wp/v2/nope', {}],
    ['/healthz', {}],
  ] as [string, RequestInit][]) {
    const response = await service.fetch(path, init)
    t.is(response.headers.get('Link'), link, path)
    t.is(response.headers.get('Cache-Control'), 'no-store', path)
    t.is(response.headers.get('X-Content-Type-Options'), 'nosniff', path)
    t.is(response.headers.get('Content-Type'), 'application/json; charset=utf-8', path)
    t.is(response.headers.get('X-Powered-By'), null)
  }
})

onEachDatabase('what is no route is 404 in WordPress’s words', async (t, service) => {
  for (const [method, path] of [
    ['GET', '/wp/v2/nope'],
    ['GET', '/wp/v2/token'],
    ['PUT', '/wp/v2/token'],
    ['POST', '/wp/v2/users'],
    ['DELETE', '/wp/v2/users/1'],
    ['GET', '/wp/v1/token'],
    ['GET', '/wp/v2token'],
    ['GET', '/wp-jsonx/'],
    ['GET', '/WP-JSON/'],
    ['GET', '/wp-json/wp-json'],
    ['GET', '/wp-json/session'],
    ['POST', '/wp-json/login'],
    ['POST', '/?rest_route=/login'],
    ['GET', '/index.php?rest_route=/healthz'],
    ['GET', '/index.php?rest_route=/wp-json/wp/v2/users/me'],
    ['OPTIONS', '/wp/v2/nope'],
    ['OPTIONS', '*'],
    ['PROPFIND', '/wp/v2'],
    ['GET', 'http://['],
    ['GET', '//nope'],
    ['GET', '/%'],
    ['GET', '/%ff'],
    ['GET', '/wp/v2/users/%'],
    ['GET', '/wp/v2/users/%ff'],
    ['GET', '/wp/v2/key-pair/1/%2e%2e'],
  ] as const) {
    const { status, text } = await sendPlain(service.url, path, { method })
    t.is(status, 404, `${method} ${path}`)
    t.deepEqual(JSON.parse(text), {
      code: 'rest_no_route',
      message: 'No route was found matching the URL and request method.',
      data: { status: 404 },
    })
  }
  t.false(service.log().includes('"level":50'))
})

onEachDatabase('a host or a query made of nonsense changes nothing', async (t, service) => {
  for (const headers of [{ Host: '][' }, { Host: '' }, { Host: 'evil.example' }]) {
    const { status, text } = await sendPlain(service.url, '/wp-json/?%ff=%ff&%&=&a=b', { headers })
    t.is(status, 200)
    t.is(
      JSON.parse(text).url,
      service.url,
      'URLs come from the configuration, not from the request',
    )
  }
})

onEachDatabase('HEAD answers like GET, without a body', async (t, service) => {
  for (const path of ['/wp-json/', '/wp/v2', '/wp/v2/users/me', '/healthz', '/wp/v2/nope']) {
    const get = await sendPlain(service.url, path)
    const head = await sendPlain(service.url, path, { method: 'HEAD' })
    t.is(head.status, get.status, path)
    t.is(head.text, '')
    t.is(head.headers['content-type'], get.headers['content-type'])
    t.is(head.headers['content-length'], get.headers['content-length'])
  }
})
