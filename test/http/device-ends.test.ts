import { grace, signedOut, startWithPair, valid } from '../helpers/with-device.js'
import { bearer, onEachDatabase, type Pair } from '../helpers/with-service.js'

onEachDatabase(
  'revoking a device’s token ends that device only',
  async (t, service) => {
    const { pair, client, post, check } = await startWithPair(service)
    const other = (await post({ ...pair, device: 'desk' })).body
    const ask = async (path: string, text: string) =>
      (await service.json(`/oauth2/${path}`, { fields: { ...client, token: text } })).body
    for (const which of ['refresh_token', 'access_token'] as const) {
      const tokens = (await post({ ...pair, device: 'phone' })).body
      t.like(await ask('introspect', tokens[which]), { active: true, device: 'phone' })
      t.deepEqual(await ask('revoke', tokens[which]), {})
      t.deepEqual(await ask('introspect', tokens.access_token), { active: false })
      t.deepEqual(await ask('introspect', tokens.refresh_token), { active: false })
      t.is(await check(tokens.access_token), signedOut)
    }
    t.is(await check(other.access_token), valid)
    const replaced = other.refresh_token
    await post({ refresh_token: replaced })
    t.like(await ask('introspect', replaced), { active: true }, 'good within the grace')
    service.advance(601)
    t.deepEqual(await ask('introspect', replaced), { active: false })
    t.is(await check(other.access_token), valid, 'asking ends nothing')

    const plain = (await post({ ...pair })).body
    await ask('revoke', plain.refresh_token)
    t.is(await check(other.access_token), 'rest_authentication_revoked_api_key')
  },
  grace,
)

onEachDatabase(
  'a key-pair can require a device',
  async (t, service) => {
    const { user, pair, post, oauth } = await startWithPair(service)
    const { headers } = await service.logIn('ada')
    const before = (await post({ ...pair })).body
    const path = `/wp/v2/key-pair/${user.id}/${pair.api_key}`
    const change = await service.json(path, {
      method: 'PATCH',
      headers,
      json: { require_device: true },
    })
    t.true(change.body.require_device)
    for (const fields of [{ ...pair }, { refresh_token: before.refresh_token }]) {
      const { status, body } = await post(fields)
      t.is(status, 403)
      t.is(body.code, 'rest_authentication_required_device')
    }
    const refused = await oauth({ grant_type: 'client_credentials' })
    t.deepEqual([refused.status, refused.body.error], [400, 'invalid_request'])
    t.is((await post({ ...pair, device: 'phone' })).status, 200)
    const wrong = await service.json(path, {
      method: 'PATCH',
      headers,
      json: { require_device: 'often' },
    })
    t.is(wrong.status, 400)
    const lifted = await service.json(path, {
      method: 'PATCH',
      headers,
      json: { require_device: null },
    })
    t.false('require_device' in lifted.body)
    t.is((await post({ ...pair })).status, 200)
  },
  grace,
)

onEachDatabase(
  'the service can require a device of all',
  async (t, service) => {
    const { pair, post } = await startWithPair(service)
    t.is((await post({ ...pair })).body.code, 'rest_authentication_required_device')
    const { refresh_token } = (await post({ ...pair, device: 'phone' })).body
    t.is((await post({ refresh_token })).status, 200)
  },
  { REQUIRE_DEVICE: 'true' },
)

onEachDatabase(
  'a device that is signed out is refused, and nothing else is',
  async (t, service) => {
    const { user, pair, post, check } = await startWithPair(service)
    const phone = (await post({ ...pair, device: 'phone' })).body
    const desk = (await post({ ...pair, device: 'desk' })).body
    await service.createUser('bob')
    const { headers } = await service.logIn('ada')
    const { headers: bob } = await service.logIn('bob')
    const path = `/wp/v2/key-pair/${user.id}/${pair.api_key}/devices`
    const { body: devices } = await service.json(path, { headers })
    t.deepEqual(devices.map(({ name }: { name: string }) => name).sort(), ['desk', 'phone'])
    const { id } = devices.find(({ name }: { name: string }) => name === 'phone')
    const end = (of: Record<string, string>, which = id) =>
      service.json(`${path}/${which}`, { method: 'DELETE', headers: of })

    t.is((await service.json(path, { headers: bob })).status, 403)
    t.is((await end(bob)).status, 403)
    t.is((await end({})).status, 403)
    t.is((await end(bearer(desk.access_token))).status, 403)
    t.is((await end(headers, 999_999)).body.code, 'rest_device_not_found')
    t.is(await check(phone.access_token), valid)

    t.is((await end(headers)).body, true)
    t.is(await check(phone.access_token), signedOut)
    t.is((await post({ refresh_token: phone.refresh_token })).body.code, signedOut)
    t.is((await service.json('/forward-auth', { headers: bearer(phone.access_token) })).status, 401)
    t.is((await end(headers)).body, false)
    t.is(await check(desk.access_token), valid)
    t.is((await post({ refresh_token: desk.refresh_token })).status, 200)
    t.is((await post({ ...pair, device: 'phone' })).status, 200, 'it may come back with the secret')
  },
  grace,
)

onEachDatabase(
  'a device dies with its key and with the secret it was made with',
  async (t, service) => {
    const { user, pair, post, check } = await startWithPair(service)
    const { headers } = await service.logIn('ada')
    const tokens = (await post({ ...pair, device: 'phone' })).body
    const base = `/wp/v2/key-pair/${user.id}/${pair.api_key}`
    const rotated = await service.json(`${base}/rotate`, { headers, json: { overlap: 0 } })
    t.is(await check(tokens.access_token), 'rest_authentication_replaced_api_secret')
    const again: Pair = { ...pair, api_secret: rotated.body.api_secret }
    const after = (await post({ ...again, device: 'phone' })).body
    t.is(await check(after.access_token), valid)
    await service.fetch(`${base}/revoke`, { method: 'DELETE', headers })
    t.is(await check(after.access_token), 'rest_authentication_revoked_api_key')
    const refused = await post({ refresh_token: after.refresh_token })
    t.is(refused.body.code, 'rest_authentication_revoked_api_key')
  },
  grace,
)

onEachDatabase(
  'a device whose tokens have expired is forgotten',
  async (t, service) => {
    const { user, pair, post } = await startWithPair(service)
    await post({ ...pair, device: 'phone' })
    const list = () =>
      service.runtime.services.devices.list({ kind: 'operator' }, user.id, pair.api_key)
    service.advance(31_536_000 - 60)
    await service.runtime.services.housekeeping.run()
    t.is((await list()).length, 1)
    service.advance(60)
    await service.runtime.services.housekeeping.run()
    t.deepEqual(await list(), [])
  },
  grace,
)
