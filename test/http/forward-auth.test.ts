import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { operator } from '../../src/domain/actor.js'
import { sendPlain } from '../helpers/raw-request.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

const env = { KEY_PAIR_SCOPES: 'read=Read everything;write=Change things', TRUST_PROXY: '1' }

async function visitor(
  service: Service,
  scopes: string[] | null = null,
  networks: string[] | null = null,
) {
  const user = await service.createUser('ada')
  const { keyPair, apiSecret } = await service.runtime.services.keyPairs.mint(
    operator,
    user.id,
    'API client',
    { policy: { scopes, networks } },
  )
  const pair = { api_key: keyPair.apiKey, api_secret: apiSecret }
  return { user, pair, ...(await service.exchange(pair)) }
}

async function ask(service: Service, path: string, init?: RequestInit) {
  const response = await service.fetch(path, init)
  const challenge = response.headers.get('WWW-Authenticate')
  return {
    status: response.status,
    text: await response.text(),
    challenge,
    headers: response.headers,
  }
}

const identity = (headers: Headers) =>
  [...headers].filter(([name]) => name.startsWith('x-auth-')).sort()

onEachDatabase(
  'a good token is 204, with who it is of',
  async (t, service) => {
    const { user, pair, access_token } = await visitor(service, ['read'])
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'REPORT']) {
      const headers = { ...bearer(access_token), Origin: 'https://app.example.com' }
      const body = /GET|HEAD/.test(method) ? null : 'x=1'
      const answer = await ask(service, '/forward-auth', { method, headers, body })
      t.is(answer.status, 204, method)
      t.deepEqual(identity(answer.headers), [
        ['x-auth-api-key', pair.api_key],
        ['x-auth-scopes', 'read'],
        ['x-auth-user-id', String(user.id)],
        ['x-auth-user-login', 'ada'],
      ])
      t.is(answer.headers.get('Cache-Control'), 'no-store')
    }
  },
  env,
)

onEachDatabase(
  'whatever is not a good access token is 401, without a body',
  async (t, service) => {
    const { user, pair, access_token, refresh_token } = await visitor(service)
    const refused = async (headers: Record<string, string>, error?: string) => {
      const spoofed = { 'X-Auth-User-Id': '1', 'X-Auth-User-Login': 'admin' }
      const answer = await ask(service, '/forward-auth', { headers: { ...spoofed, ...headers } })
      t.is(answer.status, 401, JSON.stringify(headers))
      t.is(answer.text, '')
      t.deepEqual(identity(answer.headers), [])
      t.regex(
        answer.challenge ?? '',
        error ? new RegExp(`^Bearer .*error="${error}"`) : /^Bearer realm="\w+"$/,
      )
      t.is(answer.headers.get('Cache-Control'), 'no-store')
    }
    await refused({})
    await refused({ Authorization: '' })
    await refused({ Authorization: 'Bearer' })
    await refused({ Authorization: `Basic ${btoa(`${pair.api_key}:${pair.api_secret}`)}` })
    await refused(bearer('x.y.z'), 'invalid_token')
    await refused(bearer(`${access_token}x`), 'invalid_token')
    await refused(bearer(refresh_token), 'invalid_token')
    t.is((await ask(service, '/forward-auth', { headers: bearer(access_token) })).status, 204)
    await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
    await refused(bearer(access_token), 'invalid_token')
  },
  env,
)

onEachDatabase(
  '?scope= is asked for by the proxy, and never by the client',
  async (t, service) => {
    const { access_token } = await visitor(service, ['read'])
    const headers = bearer(access_token)
    for (const [path, status] of [
      ['/forward-auth?scope=read', 204],
      ['/forward-auth?scope=', 204],
      ['/forward-auth?scope=read+read', 204],
      ['/forward-auth?scope=write', 403],
      ['/forward-auth?scope=read&scope=write', 403],
      ['/forward-auth?scope=read%20write', 403],
      ['/forward-auth?scope=undefined-one', 403],
      ['/forward-auth?other=1&scope=write', 403],
      ['/forward-auth/reports?scope=write', 204],
      ['/forward-auth/?scope=write', 204],
    ] as const) {
      const answer = await ask(service, path, { headers })
      t.is(answer.status, status, path)
      t.is(answer.text, '')
      if (status === 403) t.regex(answer.challenge ?? '', /error="insufficient_scope".* scope="/)
    }
    const { challenge } = await ask(service, '/forward-auth?scope=read&scope=write', { headers })
    t.true(challenge?.endsWith('scope="read write"'))
  },
  env,
)

onEachDatabase(
  'the address that counts is the client’s, through the proxy',
  async (t, service) => {
    const user = await service.createUser('ada')
    const policy = { networks: ['203.0.113.0/24'] }
    const { keyPairs } = service.runtime.services
    const { keyPair, apiSecret } = await keyPairs.mint(operator, user.id, 'Office', { policy })
    const from = (address: string) => ({ 'X-Forwarded-For': address })
    const { body } = await service.json('/wp/v2/token', {
      headers: from('203.0.113.7'),
      fields: { api_key: keyPair.apiKey, api_secret: apiSecret },
    })
    const askFrom = (address: string) =>
      ask(service, '/forward-auth', { headers: { ...bearer(body.access_token), ...from(address) } })
    t.is((await askFrom('203.0.113.200')).status, 204)
    const refused = await askFrom('203.0.113.200, 198.51.100.1')
    t.is(refused.status, 403)
    t.regex(refused.challenge ?? '', /error="invalid_token"/)
  },
  env,
)

onEachDatabase(
  'only this path and what is below it',
  async (t, service) => {
    const { access_token } = await visitor(service)
    const statusOf = async (path: string) =>
      (await sendPlain(service.url, path, { headers: bearer(access_token) })).status
    for (const path of [
      '/forward-auth/',
      '/forward-auth/a/b?c=d',
      '/forward-auth/%2e%2e/x?scope=y',
    ]) {
      t.is(await statusOf(path), 204, path)
    }
    for (const path of ['/forward-authx', '/Forward-Auth', '//forward-auth', '/x/forward-auth']) {
      t.is(await statusOf(path), 404, path)
    }
  },
  env,
)

onEachDatabase(
  'a login is fit for a header, whatever it is',
  async (t, service) => {
    const { user, access_token } = await visitor(service)
    t.is(user.login, 'ada')
    // Only an import could bring such a login: it changes here as the database's owner could.
    const login = '50% "A"\tb'
    await service.runtime.db('users').where({ id: user.id }).update({ user_login: login })
    t.is((await ask(service, '/forward-auth', { headers: bearer(access_token) })).status, 401)
    const pair = await service.mint(user.id)
    const { access_token: token } = await service.exchange(pair)
    const { headers } = await ask(service, '/forward-auth', { headers: bearer(token) })
    t.is(headers.get('X-Auth-User-Login'), '50%25 "A"%09b')
    t.is(decodeURIComponent(headers.get('X-Auth-User-Login') ?? ''), login)
  },
  env,
)

onEachDatabase(
  'a refusal is logged with what the client asked for, but no query',
  async (t, service) => {
    await ask(service, '/forward-auth', {
      headers: { 'X-Forwarded-Method': 'DELETE', 'X-Forwarded-Uri': '/orders/7?key=hush\u00e9' },
    })
    const line = service
      .log()
      .split('\n')
      .find((text) => text.includes('forwarded request'))
    t.like(JSON.parse(line ?? '{}'), { status: 401, method: 'DELETE', uri: '/orders/7' })
    t.false(service.log().includes('hush'))
  },
  env,
)

onEachDatabase(
  'without the lanes, in an application’s own server, it is the same',
  async (t, service) => {
    const { access_token } = await visitor(service, ['read'])
    const server = createServer(service.app().callback())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const good = await fetch(`${url}/forward-auth?scope=read`, { headers: bearer(access_token) })
      t.is(good.status, 204)
      t.is(good.headers.get('X-Auth-User-Login'), 'ada')
      const bad = await fetch(`${url}/forward-auth?scope=write`, { headers: bearer(access_token) })
      t.deepEqual([bad.status, await bad.text()], [403, ''])
      t.is((await fetch(`${url}/forward-auth`)).status, 401)
      t.is((await fetch(`${url}/healthz`)).status, 200)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  },
  env,
)
