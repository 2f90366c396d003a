import test from 'ava'
import fc from 'fast-check'
import { routeLabel } from '../../src/metrics/routes.js'

for (const [url, surface, route] of [
  ['/wp-json/wp/v2/token', 'wp', 'token'],
  ['/wp/v2/token/validate', 'wp', 'token/validate'],
  ['/wp/v2/token/validate/?x=1', 'wp', 'token/validate'],
  ['/index.php?rest_route=/wp/v2/token', 'wp', 'token'],
  ['/?rest_route=%2Fwp%2Fv2%2Fusers%2Fme', 'wp', 'users'],
  ['/wp-json/wp/v2/key-pair/17/17abc/revoke', 'wp', 'key-pair'],
  ['/wp-json', 'wp', 'index'],
  ['/wp-json/', 'wp', 'index'],
  ['/wp/v2', 'wp', 'index'],
  ['/wp-json/wp/v2/posts', 'wp', 'other'],
  ['/wp-json/jwt-auth/v1/token/validate', 'jwt-auth', 'token/validate'],
  ['/jwt-auth/v1/token', 'jwt-auth', 'token'],
  ['/wp-json/constructor/v2/token', 'wp', 'other'],
  ['/oauth2/introspect', 'oauth', 'oauth2/introspect'],
  ['/forward-auth?scope=read', 'forward-auth', 'forward-auth'],
  ['/forward-auth/some/secret/path', 'forward-auth', 'forward-auth'],
  ['/profile/revoke', 'pages', 'profile'],
  ['/', 'pages', 'root'],
  ['/.well-known/jwks.json', 'ops', '.well-known'],
  ['/readyz', 'ops', 'readyz'],
  ['/metrics', 'other', 'other'],
  ['/wp-admin/setup.php', 'other', 'other'],
  ['*', 'other', 'other'],
] as const) {
  test(`${url} is counted as ${surface} ${route}`, (t) => {
    t.deepEqual(routeLabel(url), { surface, route })
  })
}

test('whatever clients send, there are few labels and nothing of theirs is in one', (t) => {
  const piece = fc.constantFrom(
    'wp-json',
    'wp',
    'v2',
    'token',
    'jwt-auth',
    'v1',
    'oauth2',
    '?',
    '//',
  )
  const url = fc
    .array(fc.oneof(piece, fc.string()), { maxLength: 6 })
    .map((parts) => `/${parts.join('/')}`)
  const seen = new Set<object>()
  fc.assert(
    fc.property(url, (text) => {
      seen.add(routeLabel(text))
    }),
    { numRuns: 3000 },
  )
  // The same objects, not only equal ones: they are what requests are counted by.
  t.true(seen.size <= 40, `${seen.size}`)
})
