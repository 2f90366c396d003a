import { decodeJwt } from 'jose'
import { grace, signedOut, startWithPair, tokenPath, valid } from '../helpers/with-device.js'
import { bearer, onEachDatabase } from '../helpers/with-service.js'

/** Both ways to the same endpoint: past Koa as a form, and through it as JSON. */
const ways = [
  ['the hot lane', (fields: Record<string, string>) => ({ fields })],
  ['Koa', (json: Record<string, string>) => ({ json })],
] as const

for (const [way, bodyOf] of ways) {
  onEachDatabase(
    `a device’s refresh token is replaced by each use, by way of ${way}`,
    async (t, service) => {
      const { pair, check } = await startWithPair(service)
      const post = (fields: Record<string, string>) => service.json(tokenPath, bodyOf(fields))
      const first = await post({ ...pair, device: 'Ada’s phone 📱' })
      t.is(first.status, 200)
      t.like((decodeJwt(first.body.access_token) as any).data.user, { device: 'Ada’s phone 📱' })
      let { refresh_token } = first.body
      for (let i = 1; i <= 3; i++) {
        const { status, body } = await post({ refresh_token, device: 'Ada’s phone 📱' })
        t.is(status, 200)
        t.not(body.refresh_token, refresh_token)
        t.is((decodeJwt(body.refresh_token) as any).data.user.device_rotation, i)
        t.is(await check(body.access_token), valid)
        refresh_token = body.refresh_token
      }
      t.is(await check(first.body.access_token), valid, 'rotating ends no access token')
      t.is((await post({ refresh_token })).status, 200, 'the token names its device')
    },
  )
}

onEachDatabase(
  'without a device refresh tokens can be used again and again',
  async (t, service) => {
    const { pair, post, check } = await startWithPair(service)
    const { body } = await post({ ...pair })
    t.false('device' in (decodeJwt(body.refresh_token) as any).data.user)
    for (let i = 0; i < 3; i++) {
      const again = await post({ refresh_token: body.refresh_token })
      t.is(again.status, 200)
      t.is(await check(again.body.access_token), valid)
    }
    const named = await post({ refresh_token: body.refresh_token, device: 'phone' })
    t.is(named.status, 403)
    t.is(named.body.code, 'rest_authentication_invalid_device')
  },
  grace,
)

onEachDatabase(
  'a retry within the grace gets the very same successor',
  async (t, service) => {
    const { pair, post, check } = await startWithPair(service)
    const { refresh_token } = (await post({ ...pair, device: 'phone' })).body
    const first = (await post({ refresh_token })).body
    for (const seconds of [0, 5, 300]) {
      service.advance(seconds)
      const { status, body } = await post({ refresh_token })
      t.is(status, 200)
      t.is(body.refresh_token, first.refresh_token)
      t.is(await check(body.access_token), valid)
    }
    t.is(await check(refresh_token), 'rest_authentication_valid_refresh_token')
    t.is((await post({ refresh_token: first.refresh_token })).status, 200, 'it is good')
  },
  grace,
)

onEachDatabase(
  'a replaced token used after the grace signs the device out',
  async (t, service) => {
    const { user, pair, post, check } = await startWithPair(service)
    const old = (await post({ ...pair, device: 'phone' })).body
    const other = (await post({ ...pair, device: 'desk' })).body
    const plain = (await post({ ...pair })).body
    const current = (await post({ refresh_token: old.refresh_token })).body
    service.advance(601)
    t.is(await check(old.refresh_token), 'rest_authentication_obsolete_refresh_token')
    t.is(await check(current.access_token), valid, 'asking about it ends nothing')

    const reuse = await post({ refresh_token: old.refresh_token })
    t.is(reuse.status, 403)
    t.is(reuse.body.code, 'rest_authentication_reused_refresh_token')
    t.is((await post({ refresh_token: current.refresh_token })).body.code, signedOut)
    t.is(await check(current.access_token), signedOut)
    t.is(await check(old.access_token), signedOut)
    t.is((await post({ refresh_token: old.refresh_token })).body.code, signedOut)
    for (const { access_token, refresh_token } of [other, plain]) {
      t.is(await check(access_token), valid)
      t.is((await post({ refresh_token })).status, 200)
    }

    const [warning, ...more] = service
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":40'))
    t.deepEqual(more, [])
    t.like(JSON.parse(warning ?? '{}'), { ip: '127.0.0.1', issuedIp: '127.0.0.1' })
    for (const { access_token, refresh_token } of [old, current]) {
      t.false(service.log().includes(refresh_token) || service.log().includes(access_token))
    }
    const { headers } = await service.logIn('ada')
    const { body } = await service.json(`/wp/v2/key-pair/${user.id}/${pair.api_key}/devices`, {
      headers,
    })
    const phone = body.find(({ name }: { name: string }) => name === 'phone')
    t.like(phone, { reason: 'reused', incident: { ip: '127.0.0.1', issued_ip: '127.0.0.1' } })
    t.false(
      JSON.stringify(body).includes((decodeJwt(old.refresh_token) as any).data.user.device_chain),
    )
  },
  grace,
)

onEachDatabase(
  'both addresses of an incident are kept',
  async (t, service) => {
    const { user, pair } = await startWithPair(service)
    const from = (address: string, fields: Record<string, string>) =>
      service.json(tokenPath, { fields, headers: { 'X-Forwarded-For': address } })
    const { refresh_token } = (await from('192.0.2.1', { ...pair, device: 'phone' })).body
    await from('192.0.2.2', { refresh_token })
    service.advance(601)
    t.is((await from('2001:db8::3', { refresh_token })).status, 403)
    const { headers } = await service.logIn('ada')
    const { body } = await service.json(`/wp/v2/key-pair/${user.id}/${pair.api_key}/devices`, {
      headers,
    })
    t.like(body[0], {
      incident: { ip: '2001:db8::3', issued_ip: '192.0.2.2' },
      last_ip: '192.0.2.2',
    })
  },
  { ...grace, TRUST_PROXY: '1' },
)

onEachDatabase(
  'without a grace the first reuse signs out',
  async (t, service) => {
    const { pair, post } = await startWithPair(service)
    const { refresh_token } = (await post({ ...pair, device: 'phone' })).body
    t.is((await post({ refresh_token })).status, 200)
    t.is((await post({ refresh_token })).body.code, 'rest_authentication_reused_refresh_token')
  },
  { REFRESH_GRACE: '0' },
)

onEachDatabase(
  'only the last predecessor is forgiven',
  async (t, service) => {
    const { pair, post } = await startWithPair(service)
    const first = (await post({ ...pair, device: 'phone' })).body.refresh_token
    const second = (await post({ refresh_token: first })).body.refresh_token
    t.is((await post({ refresh_token: second })).status, 200)
    t.is(
      (await post({ refresh_token: first })).body.code,
      'rest_authentication_reused_refresh_token',
    )
  },
  grace,
)

onEachDatabase(
  'a device that is exchanged anew starts over; the others do not',
  async (t, service) => {
    const { pair, post, check } = await startWithPair(service)
    const before = (await post({ ...pair, device: 'phone' })).body
    const other = (await post({ ...pair, device: 'Phone' })).body
    const after = (await post({ ...pair, device: 'phone' })).body
    t.is(await check(before.access_token), signedOut)
    t.is((await post({ refresh_token: before.refresh_token })).body.code, signedOut)
    t.is((await post({ refresh_token: after.refresh_token })).status, 200)
    t.is((await post({ refresh_token: other.refresh_token })).status, 200)
    t.is(await check(after.access_token), valid)
  },
  grace,
)

onEachDatabase(
  'a device’s refresh token is refused to another device',
  async (t, service) => {
    const { pair, post, oauth } = await startWithPair(service)
    const { refresh_token } = (await post({ ...pair, device: 'phone' })).body
    for (const device of ['Phone', 'phone ', 'desk']) {
      const { status, body } = await post({ refresh_token, device })
      t.is(status, 403)
      t.is(body.code, 'rest_authentication_invalid_device')
    }
    const refused = await oauth({ grant_type: 'refresh_token', refresh_token, device: 'desk' })
    t.is(refused.body.error, 'invalid_grant')
    t.is((await post({ refresh_token, device: 'phone' })).status, 200, 'nothing was used up')
  },
  grace,
)

onEachDatabase(
  'a device that is none is refused by name',
  async (t, service) => {
    const { pair } = await startWithPair(service)
    for (const device of ['', 'x'.repeat(256), 'a\0b', 7, ['a'], {}, true, '\ud800']) {
      const { status, body } = await service.json(tokenPath, { json: { ...pair, device } })
      t.is(status, 400, JSON.stringify(device))
      t.is(body.code, 'rest_invalid_param')
      t.true('device' in body.data.params)
    }
    const longest = await service.json(tokenPath, { json: { ...pair, device: '😀'.repeat(255) } })
    t.is(longest.status, 200)
    t.is((await service.json(tokenPath, { json: { ...pair, device: null } })).status, 200)
    t.is(
      (await service.json(`${tokenPath}/validate`, { headers: bearer(longest.body.access_token) }))
        .status,
      200,
    )
  },
  grace,
)

onEachDatabase(
  'OAuth’s tokens of a device rotate as well',
  async (t, service) => {
    const { oauth, check } = await startWithPair(service)
    const grant = { grant_type: 'client_credentials', device: 'phone' }
    const bare = await oauth(grant)
    t.is(bare.status, 200)
    t.false('refresh_token' in bare.body)
    t.is(await check(bare.body.access_token), valid)

    const { body } = await oauth({ ...grant, scope: 'offline_access' })
    t.is(await check(bare.body.access_token), signedOut)
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token }
    const unknown = await oauth({ ...refresh, resource: 'https://unknown.sample.org' })
    t.is(unknown.body.error, 'invalid_target')
    const first = await oauth({ ...refresh, device: 'phone' })
    t.is(first.status, 200)
    const again = await oauth(refresh)
    t.is(again.body.refresh_token, first.body.refresh_token)
    service.advance(601)
    const reuse = await oauth(refresh)
    t.deepEqual([reuse.status, reuse.body.error], [400, 'invalid_grant'])
    t.is(await check(first.body.access_token), signedOut)
    const empty = await oauth({ grant_type: 'client_credentials', device: '' })
    t.false('device' in (decodeJwt(empty.body.access_token) as any).data.user)
    const long = await oauth({ ...grant, device: 'x'.repeat(256) })
    t.is(long.body.error, 'invalid_request')
    t.regex(long.body.error_description, /device/)
  },
  grace,
)
