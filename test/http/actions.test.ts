import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { operator } from '../../src/domain/actor.js'
import { type Actions, type EventName, eventNames } from '../../src/hooks.js'
import { dialects } from '../helpers/dialects.js'
import { post } from '../helpers/jwt-auth-client.js'
import { bearer, passwordOf, type Service, startService } from '../helpers/with-service.js'

type Told = [name: EventName, event: any][]

interface Options {
  /** What each action does beside keeping a record. */
  act?: (name: EventName, told: Told) => void | Promise<void>
  /** Runs when the service has been stopped. */
  after?: (t: ExecutionContext, log: string, told: Told) => void
}

/** Each service has a record of its own of what its actions were told. */
function withActions(
  title: string,
  run: (t: ExecutionContext, service: Service, told: Told) => Promise<void>,
  { act, after }: Options = {},
): void {
  for (const dialect of dialects) {
    const register = dialect.isAvailable ? test : test.skip
    register(`${dialect.name}: ${title}`, async (t) => {
      const told: Told = []
      const record = (name: EventName) => (event: unknown) => {
        told.push([name, event])
        return act?.(name, told)
      }
      const actions = Object.fromEntries(
        eventNames.map((name) => [name, record(name)]),
      ) as unknown as Actions
      const service = await startService(dialect, {}, { actions })
      try {
        await run(t, service, told)
      } finally {
        await service.close()
      }
      after?.(t, service.log(), told)
    })
  }
}

/** Waits until as many have been told as there should be, and takes them out. */
async function take(told: Told, count: number): Promise<Told> {
  const deadline = Date.now() + 20_000
  while (told.length < count && Date.now() < deadline) await delay(5)
  return told.splice(0)
}

withActions('actions are told of what happens to key-pairs and users', async (t, service, told) => {
  const user = await service.createUser('ada')
  t.deepEqual(
    (await take(told, 1)).map(([name, { at, ...event }]) => [name, event]),
    [['userChanged', { userId: user.id, change: 'created', by: null }]],
  )
  const { headers } = await service.logIn('ada')
  const base = `/wp/v2/key-pair/${user.id}`
  const mint = async (name: string) => {
    const { body } = await service.json(base, { headers, fields: { name } })
    return { api_key: body.row.api_key as string, api_secret: body.api_secret as string }
  }
  const first = await mint('One')
  const about = { userId: user.id, apiKey: first.api_key, by: user.id }
  const expect = async (...expected: Told) => {
    const events = await take(told, expected.length)
    for (const [, event] of events) t.true(Math.abs(event.at - service.now()) < 60)
    t.deepEqual(
      events.map(([name, { at, ...event }]) => [name, event]),
      expected,
    )
  }
  await expect(['keyPairMinted', { ...about, name: 'One' }])
  const path = `${base}/${first.api_key}`
  await service.json(path, { method: 'PATCH', headers, json: { name: 'Two' } })
  await expect(['keyPairChanged', { ...about, name: 'Two' }])
  await service.json(`${path}/rotate`, { method: 'POST', headers })
  await expect(['keyPairRotated', { ...about, name: 'Two' }])
  await service.json(`${path}/revoke`, { method: 'DELETE', headers })
  await expect(['keyPairRevoked', { ...about, count: 1, reason: 'revoked' }])

  // What changes nothing is no event; and what is refused neither.
  await service.json(`${path}/revoke`, { method: 'DELETE', headers })
  await service.json(base, { headers, fields: { name: '' } })
  await service.json(`${base}/revoke-all`, { method: 'DELETE', headers })

  const second = await mint('Three')
  await expect(['keyPairMinted', { ...about, apiKey: second.api_key, name: 'Three' }])
  const client = { client_id: second.api_key, client_secret: second.api_secret }
  await service.json('/oauth2/revoke', { fields: { ...client, token: second.api_key } })
  const surrendered = { ...about, apiKey: second.api_key, count: 1, reason: 'revoked' }
  await expect(['keyPairRevoked', surrendered])

  for (const name of ['Four', 'Five']) await mint(name)
  await take(told, 2)
  await service.json(`${base}/revoke-all`, { method: 'DELETE', headers })
  const all = { userId: user.id, apiKey: undefined, count: 2, by: user.id }
  await expect(['keyPairRevoked', { ...all, reason: 'revoked_all' }])

  await mint('Six')
  await take(told, 1)
  await service.json('/wp/v2/users/me/password', {
    headers,
    json: { old_password: passwordOf('ada'), new_password: 'another-pass-2' },
  })
  await expect(
    ['userChanged', { userId: user.id, change: 'password_changed', by: user.id }],
    ['keyPairRevoked', { ...all, count: 1, reason: 'password_changed' }],
  )
  const { users, userAdministration } = service.runtime.services
  await userAdministration.disable(operator, user.id)
  await expect(['userChanged', { userId: user.id, change: 'disabled', by: null }])
  await userAdministration.enable(operator, user.id)
  await expect(['userChanged', { userId: user.id, change: 'enabled', by: null }])
  await users.delete(user.id)
  await expect(['userChanged', { userId: user.id, change: 'deleted', by: null }])
})

withActions('actions are told of tokens, without any', async (t, service, told) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  await take(told, 2)
  const { access_token, refresh_token } = await service.exchange(pair)
  const issued = {
    userId: user.id,
    apiKey: pair.api_key,
    dialect: 'wordpress',
    scopes: [],
    expiresIn: 604_800,
    ip: '127.0.0.1',
  }
  const expect = async (...expected: Told) => {
    const events = await take(told, expected.length)
    t.deepEqual(
      events.map(([name, { at, ...event }]) => [name, event]),
      expected,
    )
  }
  await expect(['tokenIssued', issued])
  await service.json('/wp/v2/token', { fields: { refresh_token } })
  await expect(['tokenRefreshed', issued])
  const client = { client_id: pair.api_key, client_secret: pair.api_secret }
  await service.json('/oauth2/token', { fields: { ...client, grant_type: 'client_credentials' } })
  await expect(['tokenIssued', { ...issued, dialect: 'oauth' }])

  const fields = { ...pair, device: 'phone' }
  const { cookie } = await post(service, '/token', { fields })
  const short = { ...issued, dialect: 'jwt-auth', expiresIn: 600 }
  await expect(['tokenIssued', short])
  await post(service, '/token', { cookie, fields: { device: 'phone' } })
  await expect(['tokenRefreshed', short])
  await post(service, '/token/refresh', { cookie, fields: { device: 'phone' } })
  await expect(['tokenRefreshed', { ...short, expiresIn: undefined }])

  const refused = { apiKey: undefined, ip: '127.0.0.1' }
  await service.json('/wp/v2/token', { fields: { ...pair, api_secret: 'wrong' } })
  const invalid = 'rest_authentication_invalid_api_key_secret'
  await expect([
    'tokenRefused',
    { ...refused, during: 'exchange', code: invalid, apiKey: pair.api_key },
  ])
  // Somebody mixed the fields up: that is a secret, and not shown.
  await service.json('/wp/v2/token', {
    fields: { api_key: pair.api_secret, api_secret: pair.api_key },
  })
  await expect(['tokenRefused', { ...refused, during: 'exchange', code: invalid }])
  await service.json('/wp/v2/token', { fields: { refresh_token: access_token } })
  await expect([
    'tokenRefused',
    { ...refused, during: 'refresh', code: 'rest_authentication_invalid_token_type' },
  ])
  await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
  await take(told, 1)
  const code = 'rest_authentication_revoked_api_key'
  for (const path of ['/wp/v2/token/validate', '/wp/v2/users/me', '/forward-auth']) {
    await service.fetch(path, { headers: bearer(access_token) })
    await expect(['tokenRefused', { ...refused, during: 'check', code }])
  }
  await service.fetch('/wp/v2/token/validate', { headers: bearer(access_token) })
  const [event] = await take(told, 1)
  t.false(JSON.stringify(event).includes(access_token.slice(0, 20)))
})

const never = new Promise<void>(() => {})
withActions(
  'an action that fails or hangs changes no answer, and is logged',
  async (t, service) => {
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    const { access_token } = await service.exchange(pair)
    const { status } = await service.json('/wp/v2/token/validate', {
      headers: bearer(access_token),
    })
    t.is(status, 200)
    const refusal = await service.json('/wp/v2/token/validate', { headers: bearer('x.y.z') })
    t.is(refusal.status, 403)
    const deadline = Date.now() + 20_000
    while (!service.log().includes('tokenIssued') && Date.now() < deadline) await delay(5)
    t.regex(service.log(), /"err":\{[^}]*broken userChanged.*"action":"userChanged"/)
    t.regex(service.log(), /broken tokenIssued/)
  },
  {
    act(name) {
      if (name === 'keyPairMinted') return never
      if (name === 'userChanged') throw new Error('broken userChanged')
      return Promise.reject(new Error(`broken ${name}`))
    },
    after: (t, log) => t.regex(log, /"count":1,"msg":"actions were cut short"/),
  },
)

withActions(
  'the service waits for its actions before it stops',
  async (_, service) => {
    await service.createUser('ada')
  },
  {
    async act(name, told) {
      await delay(300)
      told.push([name, 'done'])
    },
    after: (t, _, told) => t.deepEqual(told[1], ['userChanged', 'done']),
  },
)
