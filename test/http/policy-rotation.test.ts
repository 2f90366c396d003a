import { operator } from '../../src/domain/actor.js'
import { bearer, onEachDatabase, type Pair, type Service } from '../helpers/with-service.js'

const hour = 3600

async function owner(service: Service) {
  const user = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  const pair = await service.mint(user.id, 'Backup')
  const rotate = (overlap?: unknown) =>
    service.json(`${path}/${pair.api_key}/rotate`, { headers, json: { overlap } })
  async function rotated(overlap: number): Promise<Pair> {
    const { status, body } = await rotate(overlap)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return { api_key: pair.api_key, api_secret: body.api_secret }
  }
  const list = async () => {
    await service.runtime.services.usage.flush()
    return (await service.json(path, { headers })).body
  }
  return { user, headers, path, pair, rotate, rotated, list }
}

const exchange = (service: Service, pair: Pair) =>
  service.json('/wp/v2/token', { fields: { ...pair } })
const validate = (service: Service, token: string) =>
  service.json('/wp/v2/token/validate', { headers: bearer(token) })

onEachDatabase('in an overlap both secrets work, afterwards the new one', async (t, service) => {
  const { pair: old, rotate, list } = await owner(service)
  const { status, body, headers } = await rotate(24 * hour)
  t.is(status, 200)
  t.is(headers.get('Cache-Control'), 'no-store')
  t.deepEqual(Object.keys(body), ['api_secret', 'row'])
  t.regex(body.api_secret, /^twk_[0-9A-Za-z]{46}$/)
  t.not(body.api_secret, old.api_secret)
  t.like(body.row, { name: 'Backup', api_key: old.api_key })
  const fresh = { ...old, api_secret: body.api_secret }

  const oldTokens = (await exchange(service, old)).body
  const freshTokens = (await exchange(service, fresh)).body
  for (const { access_token } of [oldTokens, freshTokens]) {
    t.is((await validate(service, access_token)).status, 200)
  }
  service.advance(24 * hour)
  t.is((await exchange(service, old)).body.code, 'rest_authentication_invalid_api_key_secret')
  t.is((await exchange(service, fresh)).status, 200)
  t.is((await validate(service, freshTokens.access_token)).status, 200)
  const { access_token, refresh_token } = oldTokens
  const code = 'rest_authentication_replaced_api_secret'
  t.is((await validate(service, access_token)).body.code, code)
  t.is((await service.json('/wp/v2/token', { fields: { refresh_token } })).body.code, code)
  const [row] = await list()
  t.false('secrets' in row)
})

onEachDatabase('without an overlap the old secret dies, with its tokens', async (t, service) => {
  const { pair: old, rotate, rotated } = await owner(service)
  const leaked = (await exchange(service, old)).body
  const fresh = await rotated(0)
  t.is((await exchange(service, old)).status, 403)
  t.is((await validate(service, leaked.access_token)).status, 403)
  const { refresh_token } = leaked
  t.is((await service.json('/wp/v2/token', { fields: { refresh_token } })).status, 403)
  const { body } = await exchange(service, fresh)
  t.is((await validate(service, body.access_token)).status, 200)

  t.is((await rotate(undefined)).status, 200, 'which is also what happens unless asked otherwise')
  t.is((await exchange(service, fresh)).status, 403)
})

onEachDatabase(
  'a refreshed token stays one of the secret that it began with',
  async (t, service) => {
    const { pair: old, rotated } = await owner(service)
    const first = (await exchange(service, old)).body
    await rotated(hour)
    const { refresh_token } = first
    const refreshed = (await service.json('/wp/v2/token', { fields: { refresh_token } })).body
    t.is((await validate(service, refreshed.access_token)).status, 200)
    service.advance(hour)
    t.is((await validate(service, refreshed.access_token)).status, 403)
  },
)

onEachDatabase('the list tells which secret was used last, and when', async (t, service) => {
  const { pair: old, rotated, list, user } = await owner(service)
  await exchange(service, old)
  const fresh = await rotated(24 * hour)
  const [before] = await list()
  const [current, previous] = before.secrets
  t.deepEqual(current, { status: 'current', last_used: '—' })
  t.deepEqual(Object.keys(previous), ['status', 'last_used', 'expires_at'])
  t.not(previous.last_used, '—')
  t.true(Math.abs(previous.expires_at - service.now() - 24 * hour) < 5)
  const read = () => service.runtime.services.keyPairs.find(operator, user.id, old.api_key)
  t.is((await read()).secretUsedAt, null)

  service.advance(600)
  await exchange(service, fresh)
  await exchange(service, old)
  service.advance(600)
  await exchange(service, old)
  await service.runtime.services.usage.flush()
  const { secretUsedAt, previousSecret } = await read()
  t.true(Math.abs((previousSecret?.usedAt ?? 0) - (secretUsedAt ?? 0) - 600) < 5)
  t.not((await list())[0].secrets[0].last_used, '—')
})

onEachDatabase('there are never three secrets', async (t, service) => {
  const { pair: old, rotate, rotated } = await owner(service)
  const answers = await Promise.all(Array.from({ length: 6 }, () => rotate(hour)))
  const won = answers.filter(({ status }) => status === 200)
  t.is(won.length, 1)
  for (const { status, body } of answers) {
    if (status !== 200) t.deepEqual([status, body.code], [409, 'rest_key_pair_rotation_conflict'])
  }
  const second = { ...old, api_secret: won[0]?.body.api_secret }
  t.is((await rotate(hour)).body.code, 'rest_key_pair_rotation_conflict')
  t.is((await exchange(service, old)).status, 200)
  t.is((await exchange(service, second)).status, 200)

  const third = await rotated(0)
  t.is((await exchange(service, old)).status, 403, 'a leak ends both')
  t.is((await exchange(service, second)).status, 403)
  t.is((await exchange(service, third)).status, 200)
  const fourth = await rotated(hour)
  service.advance(hour)
  await rotated(hour)
  t.is((await exchange(service, third)).status, 403)
  t.is((await exchange(service, fourth)).status, 200)
})

onEachDatabase('rotating changes nothing else, and widens nothing', async (t, service) => {
  const { headers, path } = await owner(service)
  const policy = {
    description: 'x',
    expires_at: service.now() + hour,
    networks: ['127.0.0.1', '::1'],
  }
  const { body } = await service.json(path, { headers, json: { name: 'Limited', ...policy } })
  const target = `${path}/${body.row.api_key}/rotate`
  const wide = { overlap: 24 * hour, expires_at: 'never', networks: [], name: 'Other', scopes: [] }
  const rotated = (await service.json(target, { headers, json: wide })).body
  t.like(rotated.row, { ...policy, name: 'Limited' })
  t.is(rotated.row.secrets[1].expires_at, policy.expires_at, 'no secret outlives its pair')
  service.advance(hour)
  const pair = { api_key: body.row.api_key, api_secret: rotated.api_secret }
  t.is((await exchange(service, pair)).body.code, 'rest_authentication_expired_api_key')
  const again = await service.json(target, { headers, json: { overlap: 0 } })
  t.deepEqual([again.status, again.body.code], [403, 'rest_authentication_expired_api_key'])
})

onEachDatabase('what cannot be rotated is refused', async (t, service) => {
  const { user, headers, path, pair, rotate } = await owner(service)
  for (const overlap of [-1, 1.5, 2_592_001, 'soon', '24h', true, [0], {}]) {
    const { status, body } = await rotate(overlap)
    t.deepEqual([status, body.code], [400, 'rest_invalid_param'], JSON.stringify(overlap))
    t.deepEqual(Object.keys(body.data.params), ['overlap'])
  }
  t.is((await exchange(service, pair)).status, 200)
  t.is((await rotate('2592000')).status, 200)
  const { keyPairs } = service.runtime.services
  await keyPairs.revoke(operator, user.id, pair.api_key)
  for (const key of [pair.api_key, `${user.id}unknown`]) {
    const answer = await service.json(`${path}/${key}/rotate`, { headers, json: { overlap: 0 } })
    t.deepEqual([answer.status, answer.body.code], [404, 'rest_authentication_key_pair_not_found'])
  }
  t.is((await exchange(service, pair)).body.code, 'rest_authentication_revoked_api_key')
})
