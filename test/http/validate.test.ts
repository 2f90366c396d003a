import { operator } from '../../src/domain/actor.js'
import { sendPlain } from '../helpers/raw-request.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

// The first two are answered by the hot lane, the others by the router: they must agree.
const addresses = [
  '/wp-json/wp/v2/token/validate',
  '/wp/v2/token/validate',
  '/index.php?rest_route=/wp/v2/token/validate',
  '/?rest_route=/wp/v2/token/validate',
  '/wp/v2/token/validate/',
  '/wp/v2/token/validate?x=1',
]

async function signIn(service: Service) {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  return { user, pair, ...(await service.exchange(pair)) }
}

/** The codes that the addresses answer, which should all be one. */
async function codes(service: Service, token: string): Promise<string[]> {
  const answers = addresses.map((path) => service.json(path, { headers: bearer(token) }))
  return [...new Set((await Promise.all(answers)).map(({ body }) => body.code))]
}

onEachDatabase(
  'validate counts down the seconds left and tells the tokens apart',
  async (t, service) => {
    const { access_token, refresh_token } = await signIn(service)
    service.advance(1000)
    for (const path of addresses) {
      for (const [type, token, lifetime] of [
        ['access', access_token, 604_800],
        ['refresh', refresh_token, 31_536_000],
      ] as const) {
        const { status, body, headers } = await service.json(path, { headers: bearer(token) })
        const left = body.data.exp
        t.is(status, 200)
        t.deepEqual(body, {
          code: `rest_authentication_valid_${type}_token`,
          message: `Valid ${type} token.`,
          data: { status: 200, exp: left },
        })
        t.true(left <= lifetime - 1000 && left > lifetime - 1060, `${left} seconds left`)
        t.is(headers.get('Cache-Control'), 'no-store')
        t.is(headers.get('Content-Type'), 'application/json; charset=utf-8')
      }
    }
  },
)

onEachDatabase(
  'a token that was just valid is dead once its key is revoked',
  async (t, service) => {
    const { user, pair, access_token, refresh_token } = await signIn(service)
    t.deepEqual(await codes(service, access_token), ['rest_authentication_valid_access_token'])
    t.deepEqual(await codes(service, refresh_token), ['rest_authentication_valid_refresh_token'])
    await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
    t.deepEqual(await codes(service, access_token), ['rest_authentication_revoked_api_key'])
    t.deepEqual(await codes(service, refresh_token), ['rest_authentication_revoked_api_key'])
    const another = await service.exchange(await service.mint(user.id))
    t.deepEqual(await codes(service, another.access_token), [
      'rest_authentication_valid_access_token',
    ])
  },
)

onEachDatabase(
  'a token that was just valid is dead in the second it expires',
  async (t, service) => {
    const { access_token } = await signIn(service)
    t.deepEqual(await codes(service, access_token), ['rest_authentication_valid_access_token'])
    service.advance(604_800)
    t.deepEqual(await codes(service, access_token), ['rest_authentication_token_error'])
    service.advance(-604_800 - 60)
    t.deepEqual(
      await codes(service, access_token),
      ['rest_authentication_token_error'],
      'not before',
    )
  },
)

onEachDatabase(
  'disabling, deleting or renaming a user kills the tokens at once',
  async (t, service) => {
    const { users } = service.runtime.services
    const { user, access_token, refresh_token } = await signIn(service)
    const both = async () => [
      ...(await codes(service, access_token)),
      ...(await codes(service, refresh_token)),
    ]
    const alive = [
      'rest_authentication_valid_access_token',
      'rest_authentication_valid_refresh_token',
    ]
    const twice = (code: string) => [code, code]
    t.deepEqual(await both(), alive)
    await users.disable(user.id)
    t.deepEqual(await both(), twice('rest_authentication_invalid_token_wp_user'))
    await users.enable(user.id)
    t.deepEqual(await both(), alive)

    const row = service.runtime.db('users').where({ id: user.id })
    await row.clone().update({ user_email: 'new@sample.org' })
    t.deepEqual(await both(), twice('rest_authentication_invalid_token_user_email'))
    await row.clone().update({ user_email: 'ada@sample.org', user_login: 'ada2' })
    t.deepEqual(await both(), twice('rest_authentication_invalid_token_user_login'))
    await row.clone().update({ user_login: 'ada' })
    t.deepEqual(await both(), alive)

    await users.delete(user.id)
    t.deepEqual(await both(), twice('rest_authentication_invalid_token_wp_user'))
  },
)

onEachDatabase('the token comes in the Authorization header or not at all', async (t, service) => {
  const { access_token } = await signIn(service)
  const token = access_token
  const answers: [string, Record<string, string>, string][] = [
    ['', {}, 'rest_authentication_invalid_bearer_token'],
    [`?access_token=${token}`, {}, 'rest_authentication_invalid_bearer_token'],
    ['', { Cookie: `access_token=${token}` }, 'rest_authentication_invalid_bearer_token'],
    ['', { Authorization: token }, 'rest_authentication_no_token'],
    ['', { Authorization: `Basic ${token}` }, 'rest_authentication_no_token'],
    ['', { Authorization: 'Bearer' }, 'rest_authentication_no_token'],
    ['', { Authorization: `Bearer${token}` }, 'rest_authentication_no_token'],
    ['', { Authorization: `Bearer ${token} ${token}` }, 'rest_authentication_token_error'],
    ['', { Authorization: `Bearer ${token}=` }, 'rest_authentication_token_error'],
    ['', { Authorization: `Bearer ${token}.` }, 'rest_authentication_token_error'],
    ['', { Authorization: `Bearer ${'e'.repeat(15_000)}` }, 'rest_authentication_token_error'],
    ['', { Authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }, 'rest_authentication_token_error'],
    ['', { Authorization: `bEaReR   ${token}` }, 'rest_authentication_valid_access_token'],
    ['', { ...bearer(token), Cookie: 'a=b; =; x' }, 'rest_authentication_valid_access_token'],
  ]
  for (const mount of ['/wp/v2/token/validate', '/wp-json/wp/v2/token/validate/']) {
    for (const [query, headers, code] of answers) {
      const answer = await sendPlain(service.url, mount + query, { headers })
      t.is(JSON.parse(answer.text).code, code, JSON.stringify(headers).slice(0, 60))
      t.is(answer.status, code.includes('_valid_') ? 200 : 403)
    }
  }
  t.false(service.log().includes(token))
  t.false(service.log().includes('"level":50'))
})

onEachDatabase('HEAD answers as GET does, without a body', async (t, service) => {
  const { access_token } = await signIn(service)
  for (const path of addresses) {
    const good = await sendPlain(service.url, path, {
      method: 'HEAD',
      headers: bearer(access_token),
    })
    t.is(good.status, 200)
    t.is(good.text, '')
    t.is(good.headers['content-type'], 'application/json; charset=utf-8')
    const bad = await sendPlain(service.url, path, { method: 'HEAD', headers: bearer('x') })
    t.is(bad.status, 403)
  }
})
