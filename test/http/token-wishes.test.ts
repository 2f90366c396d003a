import { decodeJwt } from 'jose'
import { startWithPair, tokenPath } from '../helpers/with-device.js'
import { onEachDatabase } from '../helpers/with-service.js'

const claimsOf = (token: string) => decodeJwt(token) as Record<string, any>

/** Past Koa as a form, through it as JSON, and in the words of OAuth. */
const ways = ['the hot lane', 'Koa', 'OAuth'] as const

const env = { ACCESS_TOKEN_TTL: '3600', EXTRA_CLAIMS: 'tenant, https://sample.org/roles' }

for (const way of ways) {
  onEachDatabase(
    `a client chooses how long its token lives, by way of ${way}`,
    async (t, service) => {
      service.stopClock()
      const { pair, oauth } = await startWithPair(service)
      const ask = (wishes: Record<string, string>) =>
        way === 'OAuth'
          ? oauth({ grant_type: 'client_credentials', ...wishes })
          : service.json(
              tokenPath,
              way === 'Koa' ? { json: { ...pair, ...wishes } } : { fields: { ...pair, ...wishes } },
            )
      const now = service.now()
      const day = new Date((now + 1800) * 1000).toISOString().replace('.000Z', 'Z')
      const wishes = [
        [{ expires_in: '60' }, 60],
        [{ expires_in: '3600' }, 3600],
        [{ expires_at: String(now + 90) }, 90],
        [{ expires_at: day }, 1800],
        [{ expires_in: '', expires_at: '', claims: '', is_refreshable: '' }, 3600],
      ] as const
      for (const [wish, lifetime] of wishes) {
        const { status, body } = await ask(wish)
        t.is(status, 200, JSON.stringify(body))
        const { exp, iat } = claimsOf(body.access_token)
        t.is(Number(exp) - Number(iat), lifetime)
        t.is(body.exp, lifetime)
      }
      const refused = [
        ['expires_in', '0', 'must be at least 1'],
        ['expires_in', '3601', 'must be at most 3600'],
        ['expires_in', '-5', 'must be a whole number of seconds'],
        ['expires_in', '1.5', 'must be a whole number of seconds'],
        ['expires_in', '+24 hours', 'must be a whole number of seconds'],
        ['expires_at', String(now), 'must be in the future'],
        ['expires_at', String(now + 3601), 'must be at most 3600 seconds from now'],
        ['expires_at', '2027-02-31', 'must be seconds since 1970, or a date such as 2027-01-31'],
        ['expires_at', 'never', 'must be seconds since 1970, or a date such as 2027-01-31'],
        ['is_refreshable', 'perhaps', 'must be true or false'],
        ['is_revocable', '2', 'must be true or false'],
        ['claims', '[1]', 'must be a JSON object'],
        ['claims', '{', 'must be a JSON object'],
        ['claims', '{"admin":true}', 'must be among tenant, https://sample.org/roles'],
        ['claims', '{"exp":99999999999}', 'must be among tenant, https://sample.org/roles'],
        ['claims', '{"__proto__":{}}', 'must be among tenant, https://sample.org/roles'],
        ['claims', JSON.stringify({ tenant: 'x'.repeat(2048) }), 'must be at most 2048 bytes'],
        [
          'claims',
          `{"tenant":${'['.repeat(5000)}${']'.repeat(5000)}}`,
          'must be at most 2048 bytes',
        ],
        ['description', 'of nothing', 'is kept of tokens with is_revocable only'],
      ] as const
      for (const [name, value, problem] of refused) {
        const { status, body } = await ask({ [name]: value })
        t.is(status, 400, `${name}=${value}`)
        if (way === 'OAuth') {
          t.is(body.error, 'invalid_request')
          t.true(body.error_description.includes(name), body.error_description)
        } else {
          t.is(body.code, 'rest_invalid_param')
          t.deepEqual(body.data.params, { [name]: problem })
        }
      }
      const both = await ask({ expires_in: '60', expires_at: String(now + 60) })
      t.is(both.status, 400)
    },
    env,
  )
}

onEachDatabase(
  'a token that was wished for lives no longer than its key-pair',
  async (t, service) => {
    service.stopClock()
    const { user, pair, post } = await startWithPair(service)
    const { headers } = await service.logIn(user.login)
    const path = `/wp/v2/key-pair/${user.id}/${pair.api_key}`
    const expires_at = service.now() + 100
    await service.json(path, { method: 'PATCH', headers, json: { expires_at } })
    t.is((await post({ ...pair, expires_in: '100' })).body.exp, 100)
    const { status, body } = await post({ ...pair, expires_in: '101' })
    t.is(status, 400)
    t.deepEqual(body.data.params, { expires_in: 'must be at most 100' })
  },
  env,
)

onEachDatabase(
  'a client can do without a refresh token, and add the claims that are allowed',
  async (t, service) => {
    const { pair, post, oauth, check } = await startWithPair(service)
    const claims = { tenant: { id: 7 }, 'https://sample.org/roles': ['a'] }
    const text = JSON.stringify(claims)
    const { body } = await post({ ...pair, is_refreshable: 'false', claims: text })
    t.false('refresh_token' in body)
    t.like(claimsOf(body.access_token), claims)
    t.is(await check(body.access_token), 'rest_authentication_valid_access_token')

    const json = { ...pair, claims, is_refreshable: true }
    const asJson = (await service.json(tokenPath, { json })).body
    t.like(claimsOf(asJson.access_token), claims)
    t.is(claimsOf(asJson.refresh_token).tenant, undefined)
    const again = await post({ refresh_token: asJson.refresh_token, expires_in: '60' })
    t.is(again.body.exp, 60)
    t.is(claimsOf(again.body.access_token).tenant, undefined, 'wishes are of one request')
    t.true('refresh_token' in again.body)
    const refused = await post({ refresh_token: asJson.refresh_token, is_refreshable: 'false' })
    t.deepEqual(refused.body.data.params, {
      is_refreshable: 'can be chosen with a key-pair only',
    })

    const grant = { grant_type: 'client_credentials', scope: 'offline_access', claims: text }
    t.true('refresh_token' in (await oauth(grant)).body)
    t.false('refresh_token' in (await oauth({ ...grant, is_refreshable: 'false' })).body)
    const asked = await oauth({ grant_type: 'client_credentials', is_refreshable: 'true' })
    t.true('refresh_token' in asked.body)
  },
  env,
)

onEachDatabase('a refused wish leaves a device as it was', async (t, service) => {
  const { pair, post } = await startWithPair(service)
  const first = await post({ ...pair, device: 'phone' })
  t.is((await post({ ...pair, device: 'phone', expires_in: '999999999' })).status, 400)
  t.is((await post({ ...pair, device: 'phone', claims: '{"tenant":1}' })).status, 400)
  const { refresh_token } = first.body
  t.is((await post({ refresh_token, expires_in: '999999999' })).status, 400)
  t.is((await post({ refresh_token })).status, 200)
})

onEachDatabase(
  'only somebody with the secret learns which claims are allowed',
  async (t, service) => {
    const { pair, post } = await startWithPair(service)
    const { status, body } = await post({ ...pair, api_secret: 'wrong', claims: '{"admin":1}' })
    t.is(status, 403)
    t.is(body.code, 'rest_authentication_invalid_api_key_secret')
  },
  env,
)
