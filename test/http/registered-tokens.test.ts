import { decodeJwt } from 'jose'
import { maxRegisteredTokens } from '../../src/domain/registered-token.js'
import { startWithPair, valid } from '../helpers/with-device.js'
import { onEachDatabase, type Service } from '../helpers/with-service.js'

const revoked = 'rest_authentication_revoked_token'

async function startWithList(service: Service) {
  const started = await startWithPair(service)
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${started.user.id}/${started.pair.api_key}/tokens`
  const list = async () => (await service.json(path, { headers })).body
  const revoke = (jti: string) => service.json(`${path}/${jti}`, { method: 'DELETE', headers })
  return { ...started, headers, path, list, revoke }
}

onEachDatabase('a registered token is listed, and revoked alone', async (t, service) => {
  const { pair, post, check, list, revoke } = await startWithList(service)
  const description = 'Nightly backup ✓'
  const asked = { ...pair, is_revocable: 'true', device: 'server', description }
  const { body } = await post(asked)
  t.is(body.jti, decodeJwt(body.access_token).jti)
  t.false('refresh_token' in body, 'what makes another token is not left behind')
  const { body: other } = await post({ ...pair, is_revocable: '1', is_refreshable: 'true' })
  const { body: plain } = await post({ ...pair })
  t.true('refresh_token' in other)
  t.false('jti' in plain)

  t.is(await check(body.access_token), valid)
  await service.runtime.services.usage.flush()
  const [second, first] = await list()
  t.like(first, { jti: body.jti, description, device: 'server', last_ip: '127.0.0.1' })
  t.not(first.last_used, '—')
  t.like(second, { jti: other.jti, description: '', last_used: '—', last_ip: '—' })
  t.is((await list()).length, 2, 'stateless ones are on no list')
  const rows = await service.runtime.db('registered_tokens')
  t.false(JSON.stringify(rows).includes(body.access_token.split('.')[2]))

  t.deepEqual((await revoke(body.jti)).body, true)
  t.is(await check(body.access_token), revoked)
  t.is(await check(other.access_token), valid)
  t.is(await check(plain.access_token), valid)
  t.deepEqual((await revoke(body.jti)).body, false)
  t.true('revoked' in (await list())[1])
  const actions = await service.runtime.db('audit_log').orderBy('id').pluck('action')
  t.deepEqual(
    actions.filter((action: string) => /^token\.re(gistered|voked)$/.test(action)),
    ['token.registered', 'token.registered', 'token.revoked'],
  )
})

onEachDatabase('a token’s own client revokes just it', async (t, service) => {
  const { pair, client, post, oauth, check } = await startWithList(service)
  const grant = { grant_type: 'client_credentials', is_revocable: 'true', device: 'laptop' }
  const { body: one } = await oauth(grant)
  const { body: two } = await post({ ...pair, is_revocable: 'true' })
  const introspect = async (token: string) =>
    (await service.json('/oauth2/introspect', { fields: { ...client, token } })).body
  t.like(await introspect(one.access_token), { active: true, jti: one.jti })
  const fields = { ...client, token: one.access_token }
  for (const _ of ['once', 'twice']) {
    t.is((await service.json('/oauth2/revoke', { fields })).status, 200)
  }
  t.deepEqual(await introspect(one.access_token), { active: false })
  t.is(await check(one.access_token), revoked)
  t.is(await check(two.access_token), valid)
  t.is((await post({ ...pair })).status, 200, 'the key-pair lives')
})

onEachDatabase('nobody revokes or sees what is not theirs', async (t, service) => {
  const { user, pair, post, path, list, revoke } = await startWithList(service)
  const { body } = await post({ ...pair, is_revocable: 'true' })
  await service.createUser('eve')
  const eve = await service.logIn('eve')
  const theirs = await service.json(path, { headers: eve.headers })
  t.is(theirs.body.code, 'rest_authentication_edit_user_error')
  const target = `${path}/${body.jti}`
  const remove = { method: 'DELETE', headers: eve.headers }
  t.is((await service.json(target, remove)).status, 403)
  t.is((await service.json(target, { method: 'DELETE' })).status, 403)
  t.is(
    (
      await service.json(target, {
        method: 'DELETE',
        headers: {
          Authorization: `Bearer ${body.access_token}`,
        },
      })
    ).status,
    403,
  )

  t.is((await revoke('of-nobody')).body.code, 'rest_token_not_found')
  const other = await service.mint(user.id, 'Other')
  const { headers } = await service.logIn('ada')
  const elsewhere = `/wp/v2/key-pair/${user.id}/${other.api_key}/tokens/${body.jti}`
  t.is((await service.json(elsewhere, { method: 'DELETE', headers })).status, 404)
  t.is((await list()).length, 1)
  t.false('revoked' in (await list())[0])
})

onEachDatabase('a key-pair has so many registered tokens and no more', async (t, service) => {
  const { pair, post, check, list, revoke } = await startWithList(service)
  const asked = { ...pair, is_revocable: 'true', expires_in: '600' }
  const first = await post(asked)
  const [row] = await service.runtime.db('registered_tokens')
  const { id: _, ...fields } = row
  const others = Array.from({ length: maxRegisteredTokens - 3 }, (_, index) => ({
    ...fields,
    token_id: `another-${index}`,
  }))
  await service.runtime.db('registered_tokens').insert(others)
  const { body: device } = await post({ ...pair, device: 'phone' })
  const answers = await Promise.all(Array.from({ length: 6 }, () => post(asked)))
  const statuses = answers.map(({ status }) => status).sort()
  t.deepEqual(statuses, [200, 200, 409, 409, 409, 409])
  t.is((await list()).length, maxRegisteredTokens)
  const full = await post({ ...asked, device: 'phone' })
  t.is(full.body.code, 'rest_authentication_too_many_tokens')
  t.is((await post({ refresh_token: device.refresh_token })).status, 200, 'the device is as it was')
  t.is((await post({ ...pair })).status, 200)

  await revoke(first.body.jti)
  t.is((await post(asked)).status, 200)
  t.is(await check(first.body.access_token), revoked, 'also when it is on no list any more')
  t.is((await post(asked)).status, 409)
  service.advance(601)
  t.is((await list()).length, 0)
  t.is((await post(asked)).status, 200)
  await service.runtime.services.housekeeping.run()
  t.is((await service.runtime.db('registered_tokens')).length, 1)
})

onEachDatabase('registered tokens die with their key-pair, too', async (t, service) => {
  const { user, pair, post, check } = await startWithList(service)
  const { body } = await post({ ...pair, is_revocable: 'true' })
  const before = service.runtime.services.keyStates.reads()
  t.is(await check(body.access_token), valid)
  t.is(service.runtime.services.keyStates.reads() - before, 1)
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}/${pair.api_key}/revoke`
  await service.json(path, { method: 'DELETE', headers })
  t.is(await check(body.access_token), 'rest_authentication_revoked_api_key')
})
