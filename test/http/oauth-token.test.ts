import { decodeJwt, decodeProtectedHeader } from 'jose'
import { operator } from '../../src/domain/actor.js'
import { bearer, onEachDatabase, type Pair, type Service } from '../helpers/with-service.js'

// The first three are answered by the hot lane, the others by the router: they must agree.
const addresses = [
  '/oauth2/token',
  '/wp/v2/token',
  '/wp-json/wp/v2/token',
  '/oauth2/token?x=1',
  '/index.php?rest_route=/wp/v2/token',
  '/wp/v2/token/',
]

const grant = { grant_type: 'client_credentials' }
const inBody = ({ api_key, api_secret }: Pair) => ({
  client_id: api_key,
  client_secret: api_secret,
})
const basic = ({ api_key, api_secret }: Pair) => ({
  Authorization: `Basic ${Buffer.from(`${api_key}:${api_secret}`).toString('base64')}`,
})

async function start(service: Service) {
  const user = await service.createUser('ada')
  return { user, pair: await service.mint(user.id) }
}

onEachDatabase(
  'a key-pair gets an access token by Basic, in the body and by its own names',
  async (t, service) => {
    const { user, pair } = await start(service)
    for (const path of addresses) {
      for (const { headers = {}, fields = {} } of [
        { headers: basic(pair) },
        { headers: basic(pair), fields: { client_id: pair.api_key } },
        { fields: inBody(pair) },
        { fields: { ...pair } },
        { fields: { ...inBody(pair), scope: '', unknown: 'x' } },
      ]) {
        const answer = await service.json(path, { headers, fields: { ...grant, ...fields } })
        const { access_token, ...rest } = answer.body
        t.is(answer.status, 200, JSON.stringify(answer.body))
        t.is(answer.headers.get('Cache-Control'), 'no-store')
        t.deepEqual(rest, {
          token_type: 'Bearer',
          expires_in: 604_800,
          scope: '',
          data: {
            user: {
              id: user.id,
              type: 'wp_user',
              user_login: 'ada',
              user_email: 'ada@sample.org',
              api_key: pair.api_key,
            },
          },
          exp: 604_800,
        })
        const me = await service.json('/wp/v2/users/me', { headers: bearer(access_token) })
        t.is(me.body.id, user.id)
      }
    }
    const json = await service.json('/oauth2/token', { json: { ...grant, ...inBody(pair) } })
    t.is(json.status, 200, 'JSON too')
  },
)

onEachDatabase('an access token has the header and claims of RFC 9068', async (t, service) => {
  const { user, pair } = await start(service)
  const { body } = await service.json('/oauth2/token', { fields: { ...grant, ...pair } })
  t.deepEqual(decodeProtectedHeader(body.access_token), { typ: 'at+jwt', alg: 'HS256' })
  const { iat = 0, nbf, exp, jti, ...claims } = decodeJwt(body.access_token)
  t.is(nbf, iat)
  t.is(exp, iat + 604_800)
  t.regex(String(jti), /^[0-9a-f-]{36}$/)
  t.deepEqual(claims, {
    iss: service.url,
    sub: String(user.id),
    aud: service.url,
    client_id: pair.api_key,
    data: body.data,
  })
})

onEachDatabase(
  'a refresh token comes only for offline_access, and works for its own pair only',
  async (t, service) => {
    const { user, pair } = await start(service)
    const other = await service.mint(user.id)
    for (const path of addresses) {
      const first = await service.json(path, {
        headers: basic(pair),
        fields: { ...grant, scope: 'offline_access' },
      })
      t.is(first.body.scope, 'offline_access')
      const { refresh_token } = first.body
      t.deepEqual(decodeProtectedHeader(refresh_token), { typ: 'JWT', alg: 'HS256' })
      const fields = { grant_type: 'refresh_token', refresh_token }
      const again = await service.json(path, { headers: basic(pair), fields })
      t.is(again.status, 200, JSON.stringify(again.body))
      t.is(decodeProtectedHeader(again.body.access_token).typ, 'at+jwt')
      t.is(typeof again.body.refresh_token, 'string')
      const foreign = await service.json(path, { headers: basic(other), fields })
      t.is(foreign.status, 400)
      t.is(foreign.body.error, 'invalid_grant')
      const nobody = await service.json(path, { fields })
      t.is(nobody.status, 401, 'whoever has credentials must use them')
      const access = await service.json(path, {
        headers: basic(pair),
        fields: { ...fields, refresh_token: first.body.access_token },
      })
      t.is(access.body.error, 'invalid_grant', 'an access token is no refresh token')
    }
    const wordpress = await service.exchange(pair)
    const mixed = await service.json('/oauth2/token', {
      fields: { grant_type: 'refresh_token', refresh_token: wordpress.refresh_token, ...pair },
    })
    t.is(mixed.status, 200, 'the dialects understand each other’s tokens')
    const back = await service.json('/wp/v2/token', {
      fields: { refresh_token: mixed.body.refresh_token },
    })
    t.is(typeof back.body.refresh_token, 'string')
    const kept = await service.json('/wp/v2/users/me', { headers: bearer(back.body.access_token) })
    t.is(kept.body.id, user.id)
  },
)

onEachDatabase('failures are in the words of RFC 6749', async (t, service) => {
  const { user, pair } = await start(service)
  const dead = await service.mint(user.id)
  await service.runtime.services.keyPairs.revoke(operator, user.id, dead.api_key)
  const bad = { ...pair, api_secret: `${pair.api_secret}x` }
  const raw = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  type Case = [Record<string, string>, string | Record<string, string>, number, string]
  const body = (pairs: object) => String(new URLSearchParams({ ...grant, ...pairs }))
  const cases: Case[] = [
    [basic(pair), { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    [basic(pair), { grant_type: 'authorization_code' }, 400, 'unsupported_grant_type'],
    [{}, grant, 401, 'invalid_client'],
    [{ Authorization: 'Bearer x' }, grant, 401, 'invalid_client'],
    [{ Authorization: 'Basic' }, grant, 401, 'invalid_client'],
    [{ Authorization: 'Basic !' }, grant, 401, 'invalid_client'],
    [raw('no-colon'), grant, 401, 'invalid_client'],
    [raw(`${pair.api_key}:%`), grant, 401, 'invalid_client'],
    [basic(bad), grant, 401, 'invalid_client'],
    [{}, body(inBody(bad)), 401, 'invalid_client'],
    [{}, body({ client_id: pair.api_key }), 401, 'invalid_client'],
    [basic(dead), grant, 401, 'invalid_client'],
    [basic(pair), body(inBody(pair)), 400, 'invalid_request'],
    [basic(pair), body({ client_secret: 'x' }), 400, 'invalid_request'],
    [basic(pair), body({ client_id: dead.api_key }), 400, 'invalid_request'],
    [{}, body({ ...inBody(pair), ...pair }), 400, 'invalid_request'],
    [basic(pair), 'grant_type=client_credentials&grant_type=refresh_token', 400, 'invalid_request'],
    [{}, `${body(inBody(pair))}&client_id=${pair.api_key}`, 400, 'invalid_request'],
    [basic(pair), `${body({ scope: 'a' })}&scope=b`, 400, 'invalid_request'],
    [basic(pair), body({ scope: 'no-such-scope' }), 400, 'invalid_scope'],
    [basic(pair), body({ scope: 'with"quote' }), 400, 'invalid_scope'],
    [basic(pair), body({ resource: 'https://elsewhere.example' }), 400, 'invalid_target'],
    [basic(pair), { grant_type: 'refresh_token' }, 400, 'invalid_request'],
    [basic(pair), { grant_type: 'refresh_token', refresh_token: 'x.y.z' }, 400, 'invalid_grant'],
  ]
  for (const path of addresses) {
    for (const [headers, fields, status, error] of cases) {
      const response = await service.fetch(path, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' },
        body: typeof fields === 'string' ? fields : String(new URLSearchParams(fields)),
      })
      const answer = (await response.json()) as Record<string, string>
      const what = `${path} ${JSON.stringify(headers)} ${JSON.stringify(fields)}`
      t.is(answer.error, error, `${what} ${JSON.stringify(answer)}`)
      t.is(response.status, status, what)
      t.deepEqual(Object.keys(answer), ['error', 'error_description'])
      t.regex(answer.error_description ?? '', /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
      t.is(response.headers.get('Cache-Control'), 'no-store')
      const challenge = response.headers.get('WWW-Authenticate')
      if (status === 401) t.regex(challenge ?? '', /^Basic realm="Twinkey"/)
      else t.is(challenge, null)
    }
  }
  t.false(service.log().includes('"level":50'))
})

onEachDatabase(
  'the OAuth address speaks OAuth even where a request is no request at all',
  async (t, service) => {
    const { pair } = await start(service)
    const urlencoded = { 'Content-Type': 'application/x-www-form-urlencoded' }
    for (const [headers, body, status] of [
      [urlencoded, String(new URLSearchParams({ ...pair })), 400],
      [urlencoded, '', 400],
      [urlencoded, 'x=1&'.repeat(200), 400],
      [{ 'Content-Type': 'application/json' }, '{', 400],
      [{ 'Content-Type': 'text/plain' }, 'x', 415],
      [urlencoded, `x=${'y'.repeat(70_000)}`, 413],
    ] as const) {
      for (const path of ['/oauth2/token', '/oauth2/token?']) {
        const response = await service.fetch(path, { method: 'POST', headers, body })
        t.is(response.status, status)
        t.is(((await response.json()) as { error: string }).error, 'invalid_request')
      }
    }
    const empty = await service.json('/wp/v2/token', { fields: { ...pair, grant_type: '' } })
    t.deepEqual(
      Object.keys(empty.body),
      ['access_token', 'data', 'exp', 'refresh_token'],
      'a parameter without a value counts as omitted',
    )
  },
)

onEachDatabase(
  'a resource becomes the audience, if it is one of those configured',
  async (t, service) => {
    const { pair } = await start(service)
    const audience = async (...resources: string[]) => {
      const body = new URLSearchParams({ ...grant, ...pair })
      for (const resource of resources) body.append('resource', resource)
      const response = await service.fetch('/oauth2/token', { method: 'POST', body })
      const answer = (await response.json()) as any
      if (response.status !== 200) return answer.error
      const me = await service.json('/wp/v2/users/me', { headers: bearer(answer.access_token) })
      t.is(me.status, 200, 'we accept what is meant for any of our audiences')
      return decodeJwt(answer.access_token).aud
    }
    const [orders, stock] = ['https://orders.example.com', 'https://stock.example.com/api']
    t.is(await audience(), orders, 'the first')
    t.is(await audience(stock), stock)
    t.is(await audience(`${orders}/`), orders, 'as URL parsers write it')
    t.is(await audience(service.url), service.url, 'the issuer, always')
    t.deepEqual(await audience(orders, stock, orders), [orders, stock])
    t.is(await audience(orders, 'https://elsewhere.example.com'), 'invalid_target')
  },
  { TOKEN_AUDIENCES: 'https://orders.example.com, https://stock.example.com/api' },
)
