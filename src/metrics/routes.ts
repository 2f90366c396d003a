/** What a request asked for, in one of few words: whatever a client sends, there are no others. */
export interface RouteLabel {
  surface: 'wp' | 'jwt-auth' | 'oauth' | 'forward-auth' | 'pages' | 'session' | 'ops' | 'other'
  route: string
}

const other: RouteLabel = { surface: 'other', route: 'other' }

function labels<Route extends string>(
  surface: RouteLabel['surface'],
  routes: readonly Route[],
): Map<string, RouteLabel> {
  return new Map(routes.map((route) => [route, { surface, route }]))
}

const rest = labels('wp', ['index', 'token', 'token/validate', 'key-pair', 'users'])
const restUnknown: RouteLabel = { surface: 'wp', route: 'other' }
const jwtAuth = labels('jwt-auth', ['token', 'token/validate', 'token/refresh'])
const jwtAuthUnknown: RouteLabel = { surface: 'jwt-auth', route: 'other' }

/** By the first segment of the path, or by all of it. */
const plain = new Map<string, RouteLabel>([
  ...labels('oauth', ['oauth2/token', 'oauth2/introspect', 'oauth2/revoke']),
  ...labels('forward-auth', ['forward-auth']),
  ...labels('session', ['login', 'logout', 'session']),
  ...labels('pages', ['profile', 'users', 'assets', 'docs', 'audit', 'devices']),
  ...labels('ops', ['healthz', 'readyz', 'openapi.json', '.well-known']),
  ['', { surface: 'pages', route: 'root' }],
])

/** The two that machines send all the time, without taking their address apart. */
const hot = new Map<string, RouteLabel>(
  ['token', 'token/validate'].flatMap((route) =>
    ['/wp-json/wp/v2/', '/wp/v2/'].map((base) => [base + route, restLabel(`/wp/v2/${route}`)]),
  ),
)
hot.set('/forward-auth', plain.get('forward-auth') as RouteLabel)
hot.set('/oauth2/token', plain.get('oauth2/token') as RouteLabel)

/** @param url The request's target, as Node gives it. Its parameters never get into a label. */
export function routeLabel(url: string): RouteLabel {
  const known = hot.get(url)
  if (known) return known
  if (!url.startsWith('/')) return other
  const [path = '', query = ''] = url.split('?', 2)
  if (path === '/' || path === '/index.php') {
    const route = new URLSearchParams(query).getAll('rest_route').at(-1)
    return route?.startsWith('/') ? restLabel(route) : (plain.get('') as RouteLabel)
  }
  if (path === '/wp-json' || path.startsWith('/wp-json/')) return restLabel(path.slice(8))
  if (path.startsWith('/wp/v2')) return restLabel(path)
  if (path.startsWith('/jwt-auth/')) return restLabel(path)
  const [, first = ''] = path.split('/', 2)
  return plain.get(path.slice(1)) ?? plain.get(first) ?? other
}

/** @param path Below `/wp-json`, e.g. `/wp/v2/users/me`. */
function restLabel(path: string): RouteLabel {
  const [, space, version, first = '', second] = path.replace(/\/+$/, '').split('/')
  if (space === undefined) return rest.get('index') as RouteLabel
  if (space === 'jwt-auth' && version === 'v1') {
    return jwtAuth.get(second === undefined ? first : `${first}/${second}`) ?? jwtAuthUnknown
  }
  if (space !== 'wp' || version !== 'v2') return restUnknown
  if (first === 'token' && second !== undefined) return rest.get(`token/${second}`) ?? restUnknown
  return rest.get(first || 'index') ?? restUnknown
}
