import { decodeJwt } from 'jose'
import { bearer, onEachDatabase, type Pair, type Service } from '../helpers/with-service.js'

const env = { KEY_PAIR_SCOPES: 'read=Read everything;write=Change things;admin=Everything else' }
const day = 86_400

async function minter(service: Service, login = 'ada', role?: 'administrator') {
  const user = await service.createUser(login, role)
  const { headers } = await service.logIn(login)
  const path = `/wp/v2/key-pair/${user.id}`
  const mint = (fields: object) =>
    service.json(path, { headers, json: { name: 'Limited', ...fields } })
  async function minted(fields: object): Promise<Pair & { row: any }> {
    const { status, body } = await mint(fields)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return { api_key: body.row.api_key, api_secret: body.api_secret, row: body.row }
  }
  const change = (pair: Pair, json: object) =>
    service.json(`${path}/${pair.api_key}`, { method: 'PATCH', headers, json })
  return { user, headers, path, mint, minted, change }
}

const exchange = (service: Service, pair: Pair, fields: Record<string, string> = {}) =>
  service.json('/wp/v2/token', {
    fields: { api_key: pair.api_key, api_secret: pair.api_secret, ...fields },
  })
const validate = (service: Service, token: string, headers: Record<string, string> = {}) =>
  service.json('/wp/v2/token/validate', { headers: { ...bearer(token), ...headers } })

onEachDatabase(
  'a row shows what limits a pair, and nothing else',
  async (t, service) => {
    const { minted, headers, path } = await minter(service)
    const plain = await minted({ expires_at: '', scopes: '', networks: null, description: '' })
    const names = ['name', 'api_key', 'created', 'last_used', 'last_ip']
    t.deepEqual(Object.keys(plain.row), names)
    const policy = {
      description: '👩‍👩‍👧‍👦 nightly\nbackup',
      expires_at: service.now() + day,
      scopes: ['read'],
      networks: ['203.0.113.0/24', '2001:db8::1'],
    }
    const limited = await minted(policy)
    t.like(limited.row, policy)
    t.deepEqual(Object.keys(limited.row), [...names, ...Object.keys(policy)])
    t.deepEqual((await service.json(path, { headers })).body, [limited.row, plain.row])
  },
  env,
)

onEachDatabase(
  'forms can say it too, with one field or many',
  async (t, service) => {
    const { headers, path } = await minter(service)
    const send = (body: string | FormData, type?: string) =>
      service
        .fetch(path, {
          method: 'POST',
          headers: { ...headers, ...(type && { 'Content-Type': type }) },
          body,
        })
        .then(async (response) => (await response.json()) as any)
    const form = 'application/x-www-form-urlencoded'
    const expected = { scopes: ['read', 'write'], networks: ['10.0.0.0/8', '::1'] }
    const date = new Date((service.now() + 40 * day) * 1000).toISOString().slice(0, 10)
    const { row } = await send(
      `name=x&scopes=read+write&networks=10.0.0.0/8,%0a::1&expires_at=${date}&description=a+b`,
      form,
    )
    t.like(row, { ...expected, expires_at: Date.parse(date) / 1000, description: 'a b' })
    t.like(
      (await send('name=x&scopes[]=read&scopes[]=write&networks[]=10.0.0.0/8&networks[]=::1', form))
        .row,
      expected,
    )
    const multipart = new FormData()
    for (const [name, value] of Object.entries({
      name: 'x',
      scopes: 'read, write',
      networks: '10.0.0.0/8 ::1',
    }))
      multipart.set(name, value)
    t.like((await send(multipart)).row, expected)
  },
  env,
)

onEachDatabase(
  'what cannot be is refused, naming the parameter',
  async (t, service) => {
    const { mint, minted, change, headers, path } = await minter(service)
    const pair = await minted({})
    const refused: [string, unknown][] = [
      ['expires_at', service.now()],
      ['expires_at', 'tomorrow'],
      ['expires_at', '2027-02-31'],
      ['expires_at', '31.12.2027'],
      ['expires_at', -1],
      ['expires_at', 1.5e12],
      ['expires_at', true],
      ['expires_at', ['2030-01-01']],
      ['scopes', 'unknown'],
      ['scopes', ['read', 'READ']],
      ['scopes', { read: true }],
      ['scopes', [1]],
      ['networks', 'example.com'],
      ['networks', ['10.0.0.0/33']],
      ['networks', 7],
      ['networks', Array.from({ length: 51 }, (_, i) => `10.0.0.${i}`)],
      ['description', 'x'.repeat(1001)],
      ['description', 'a\0b'],
      ['description', ['a']],
    ]
    for (const [name, value] of refused) {
      for (const answer of [await mint({ [name]: value }), await change(pair, { [name]: value })]) {
        const label = `${name}: ${JSON.stringify(value)?.slice(0, 40)}`
        t.is(answer.status, 400, label)
        t.is(answer.body.code, 'rest_invalid_param', label)
        t.deepEqual(Object.keys(answer.body.data.params), [name], label)
      }
    }
    t.is((await service.json(path, { headers })).body.length, 1)
    t.is((await exchange(service, pair)).status, 200)
  },
  env,
)

onEachDatabase('an expired pair is dead, and no token outlives its pair', async (t, service) => {
  const { minted, change } = await minter(service)
  const pair = await minted({ expires_at: service.now() + 1000 })
  const { body } = await exchange(service, pair)
  t.true(body.exp <= 1000 && body.exp >= 995)
  const expires = decodeJwt(body.access_token).exp ?? 0
  t.is(decodeJwt(body.refresh_token).exp, expires)
  t.is(expires, pair.row.expires_at)
  t.is((await validate(service, body.access_token)).status, 200)

  // Shortened afterwards: the token's own times would still do.
  await change(pair, { expires_at: service.now() + 500 })
  service.advance(501)
  t.is(
    (await validate(service, body.access_token)).body.code,
    'rest_authentication_expired_api_key',
  )
  const { refresh_token } = body
  for (const fields of [
    { api_key: pair.api_key, api_secret: pair.api_secret },
    { refresh_token },
  ]) {
    const answer = await service.json('/wp/v2/token', { fields })
    t.deepEqual([answer.status, answer.body.code], [403, 'rest_authentication_expired_api_key'])
  }
  const wrong = { ...pair, api_secret: `${pair.api_secret}x` }
  t.is((await exchange(service, wrong)).body.code, 'rest_authentication_invalid_api_key_secret')

  t.is((await change(pair, { expires_at: null })).status, 200)
  t.is((await validate(service, body.access_token)).status, 200)
  t.is((await exchange(service, pair)).body.exp, 604_800)
})

onEachDatabase(
  'tokens carry what the pair has, or fewer scopes if asked',
  async (t, service) => {
    const { minted } = await minter(service)
    const scopeOf = (token: string) => decodeJwt(token).scope
    const pair = await minted({ scopes: ['read', 'write'] })
    const all = await exchange(service, pair)
    t.is(all.body.scope, 'read write')
    t.is(scopeOf(all.body.access_token), 'read write')
    const fewer = await exchange(service, pair, { scope: 'write' })
    t.deepEqual([fewer.body.scope, scopeOf(fewer.body.access_token)], ['write', 'write'])
    const { refresh_token } = fewer.body
    const refreshed = await service.json('/wp/v2/token', { fields: { refresh_token } })
    t.is(refreshed.body.scope, 'write', 'a refresh token gains nothing')
    for (const scope of ['admin', 'read admin', 'READ', 'unknown', '"']) {
      const answer = await exchange(service, pair, { scope })
      t.deepEqual(
        [answer.status, answer.body.code],
        [400, 'rest_authentication_invalid_scope'],
        scope,
      )
    }
    const free = await minted({})
    t.is((await exchange(service, free)).body.scope, 'read write admin')
    t.is((await exchange(service, free, { scope: 'admin' })).body.scope, 'admin')
  },
  env,
)

onEachDatabase('where no scopes are defined, nothing speaks of them', async (t, service) => {
  const { minted, mint } = await minter(service)
  const { body } = await exchange(service, await minted({}))
  t.deepEqual(Object.keys(body), ['access_token', 'data', 'exp', 'refresh_token'])
  t.false('scope' in decodeJwt(body.access_token))
  t.deepEqual((await mint({ scopes: ['read'] })).body.data.params, {
    scopes: 'cannot be chosen: none are defined here',
  })
})

onEachDatabase(
  'scopes that a pair loses are gone from its tokens at once',
  async (t, service) => {
    const { minted, change } = await minter(service)
    const pair = await minted({ scopes: ['read', 'write'] })
    const { access_token, refresh_token } = (await exchange(service, pair)).body
    const scopesNow = async () => {
      const { tokens } = service.runtime.services
      return (await tokens.authenticate(access_token, { ip: '127.0.0.1' })).scopes
    }
    t.deepEqual(await scopesNow(), ['read', 'write'])
    t.deepEqual((await change(pair, { scopes: ['read'] })).body.scopes, ['read'])
    t.deepEqual(await scopesNow(), ['read'])
    t.is((await service.json('/wp/v2/token', { fields: { refresh_token } })).body.scope, 'read')
    t.false('scopes' in (await change(pair, { scopes: '' })).body)
    t.deepEqual(await scopesNow(), ['read', 'write'], 'never more than it was issued with')
  },
  env,
)

onEachDatabase(
  'a pair works from its networks only, and so do its tokens',
  async (t, service) => {
    const { minted, change } = await minter(service)
    const pair = await minted({ networks: ['203.0.113.0/24', '2001:db8::/32'] })
    const from = (address: string) => ({ 'X-Forwarded-For': `198.51.100.1, ${address}` })
    const exchangeFrom = (address: string) =>
      service.json('/wp/v2/token', {
        headers: from(address),
        fields: { api_key: pair.api_key, api_secret: pair.api_secret },
      })
    const { access_token, refresh_token } = (await exchangeFrom('203.0.113.77')).body
    t.is((await exchangeFrom('2001:db8::77')).status, 200)
    t.is((await exchangeFrom('::ffff:203.0.113.5')).status, 200)
    for (const address of ['203.0.112.255', '198.51.100.1', '2001:db9::1', 'unknown', '']) {
      const refused = [
        await exchangeFrom(address),
        await validate(service, access_token, from(address)),
        await service.json('/wp/v2/users/me', {
          headers: { ...bearer(access_token), ...from(address) },
        }),
        await service.json('/wp/v2/token', { headers: from(address), fields: { refresh_token } }),
      ]
      for (const { status, body } of refused) {
        t.deepEqual([status, body.code], [403, 'rest_authentication_network_not_allowed'], address)
      }
    }
    t.is((await validate(service, access_token, from('203.0.113.1'))).status, 200)
    await change(pair, { networks: ['203.0.113.2'] })
    t.is((await validate(service, access_token, from('203.0.113.1'))).status, 403)
    await change(pair, { networks: null })
    t.is((await validate(service, access_token, from('8.8.8.8'))).status, 200)
  },
  { TRUST_PROXY: '1' },
)

onEachDatabase('an X-Forwarded-For that nobody vouches for opens nothing', async (t, service) => {
  const { minted } = await minter(service)
  const pair = await minted({ networks: ['203.0.113.0/24'] })
  const answer = await service.json('/wp/v2/token', {
    headers: { 'X-Forwarded-For': '203.0.113.7' },
    fields: { api_key: pair.api_key, api_secret: pair.api_secret },
  })
  t.is(answer.body.code, 'rest_authentication_network_not_allowed')
})

onEachDatabase(
  'the longest life binds users, not administrators',
  async (t, service) => {
    const ada = await minter(service)
    const limit = service.now() + 30 * day
    const byDefault = await ada.minted({})
    t.true(Math.abs(byDefault.row.expires_at - limit) < 5)
    const tomorrow = service.now() + day
    t.is((await ada.minted({ expires_at: tomorrow })).row.expires_at, tomorrow)
    const refused = [
      await ada.mint({ expires_at: limit + 100 }),
      await ada.mint({ expires_at: 'never' }),
      await ada.change(byDefault, { expires_at: limit + 100 }),
      await ada.change(byDefault, { expires_at: null }),
    ]
    for (const { status, body } of refused) {
      t.is(status, 400)
      t.deepEqual(body.data.params, {
        expires_at: 'must be at most 30 days after the key-pair was minted',
      })
    }
    t.is((await ada.change(byDefault, { name: 'Other' })).status, 200)
    t.is((await ada.change(byDefault, { expires_at: service.now() + day })).status, 200)

    const root = await minter(service, 'root', 'administrator')
    t.false('expires_at' in (await root.minted({})).row)
    const path = `${ada.path}/${byDefault.api_key}`
    const json = { expires_at: null }
    const lifted = await service.json(path, { method: 'PATCH', headers: root.headers, json })
    t.false('expires_at' in lifted.body)
  },
  { KEY_PAIR_MAX_LIFETIME: '30' },
)

onEachDatabase('nobody changes another’s policy, and no token its own', async (t, service) => {
  const ada = await minter(service)
  const eve = await minter(service, 'eve')
  const pair = await ada.minted({ networks: ['203.0.113.0/24'] })
  const path = `${ada.path}/${pair.api_key}`
  const free = await ada.minted({})
  const { access_token } = (await exchange(service, free)).body
  for (const headers of [eve.headers, bearer(access_token), {}]) {
    for (const [method, target, json] of [
      ['PATCH', path, { networks: null }],
      ['POST', `${path}/rotate`, { overlap: 0 }],
    ] as const) {
      const answer = await service.json(target, { method, headers, json })
      t.deepEqual([answer.status, answer.body.code], [403, 'rest_authentication_edit_user_error'])
    }
  }
  t.is((await eve.change(pair, { networks: null })).status, 404, 'not under her own id either')
  const [, row] = (await service.json(ada.path, { headers: ada.headers })).body
  t.deepEqual(row, pair.row)
})
