import { onEachDatabase } from '../helpers/with-service.js'

onEachDatabase('the metadata name endpoints that are there', async (t, service) => {
  const { status, body, headers } = await service.json('/.well-known/oauth-authorization-server')
  t.is(status, 200)
  t.is(headers.get('Cache-Control'), 'public, max-age=60')
  t.is(headers.get('Access-Control-Allow-Origin'), '*')
  t.is(body.issuer, service.url)
  const methods = ['client_secret_basic', 'client_secret_post']
  t.deepEqual(body.grant_types_supported, ['client_credentials', 'refresh_token'])
  t.deepEqual(body.response_types_supported, [])
  t.true(body.scopes_supported.includes('offline_access'))
  for (const name of ['token', 'introspection', 'revocation']) {
    t.deepEqual(body[`${name}_endpoint_auth_methods_supported`], methods)
    const { pathname, origin } = new URL(body[`${name}_endpoint`])
    t.is(origin, service.url)
    const answer = await service.json(pathname, { method: 'POST' })
    t.true([400, 401].includes(answer.status), `${pathname} ${answer.status}`)
    t.is(typeof answer.body.error, 'string')
  }
})

onEachDatabase(
  'the resource says who issues its tokens, where its refusals point to',
  async (t, service) => {
    const refused = await service.fetch('/wp/v2/users/me')
    const challenge = refused.headers.get('WWW-Authenticate') ?? ''
    const [, url = ''] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
    const { body } = await service.json(new URL(url).pathname)
    t.is(body.resource, service.url)
    t.deepEqual(body.authorization_servers, [service.url])
    t.deepEqual(body.bearer_methods_supported, ['header'])
  },
)

onEachDatabase(
  'an issuer below a path has its documents above it as well',
  async (t, service) => {
    for (const path of ['oauth-authorization-server', 'oauth-protected-resource']) {
      const above = await service.json(`/.well-known/${path}/auth`)
      const plain = await service.json(`/.well-known/${path}`)
      t.is(above.status, 200)
      t.deepEqual(above.body, plain.body)
    }
    const { body } = await service.json('/.well-known/oauth-authorization-server/auth')
    t.is(body.token_endpoint, 'https://id.example.com/auth/oauth2/token')
  },
  { PUBLIC_URL: 'https://id.example.com/auth' },
)

onEachDatabase(
  'security.txt says where to report, and expires in the future',
  async (t, service) => {
    const response = await service.fetch('/.well-known/security.txt')
    t.is(response.headers.get('Content-Type'), 'text/plain; charset=utf-8')
    const lines = (await response.text()).split('\n')
    t.is(lines[0], 'Contact: mailto:security@example.com')
    const [, expires = ''] = /^Expires: (.+)$/.exec(lines[1] ?? '') ?? []
    const days = (Date.parse(expires) / 1000 - service.now()) / 86_400
    t.true(days > 178 && days <= 180, expires)
    t.is(lines[2], `Canonical: ${service.url}/.well-known/security.txt`)
  },
  { SECURITY_CONTACT: 'mailto:security@example.com' },
)

onEachDatabase('without a contact there is no security.txt', async (t, service) => {
  t.is((await service.json('/.well-known/security.txt')).status, 404)
})
