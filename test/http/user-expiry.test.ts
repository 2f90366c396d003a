import { startWithPair, tokenPath, valid } from '../helpers/with-device.js'
import { bearer, onEachDatabase, passwordOf, type Service } from '../helpers/with-service.js'

async function startWithAdministrator(service: Service) {
  const started = await startWithPair(service)
  await service.createUser('root', 'administrator')
  const { headers, user: root } = await service.logIn('root')
  const expire = (id: number, expires_at: unknown, as = headers) =>
    service.json(`/wp/v2/users/${id}`, { method: 'PATCH', headers: as, json: { expires_at } })
  return { ...started, root, headers, expire }
}

onEachDatabase('an account that has expired is refused everywhere', async (t, service) => {
  service.stopClock()
  const { user, pair, post, oauth, check, client, expire } = await startWithAdministrator(service)
  const ada = await service.logIn('ada')
  const { body: tokens } = await post({ ...pair })
  const { body: device } = await post({ ...pair, device: 'phone' })
  const expires_at = service.now() + 100
  const { status, body } = await expire(user.id, expires_at)
  t.is(status, 200)
  t.is(body.expires_at, expires_at)
  service.advance(99)
  t.is(await check(tokens.access_token), valid)
  t.is((await post({ ...pair })).status, 200)

  service.advance(1)
  t.is(await check(tokens.access_token), 'rest_authentication_invalid_token_wp_user')
  t.is(await check(device.access_token), 'rest_authentication_invalid_token_wp_user')
  for (const { refresh_token } of [tokens, device]) {
    t.is((await post({ refresh_token })).body.code, 'rest_authentication_invalid_refresh_token')
  }
  t.is((await post({ ...pair })).body.code, 'rest_authentication_expired_user')
  const grant = await oauth({ grant_type: 'client_credentials' })
  t.deepEqual([grant.status, grant.body.error], [401, 'invalid_client'])
  const fields = { ...client, token: tokens.access_token }
  t.is((await service.json('/oauth2/introspect', { fields })).status, 401)
  t.is((await service.json('/session', { headers: ada.headers })).status, 401)
  const credentials = { user_login: 'ada', password: passwordOf('ada') }
  const logIn = await service.json('/login', { json: credentials })
  t.is(logIn.body.code, 'rest_authentication_expired_user')
  const wrong = await service.json('/login', { json: { ...credentials, password: 'x' } })
  t.is(wrong.body.code, 'incorrect_password', 'only who has the password learns of it')
  t.is((await service.json('/forward-auth', { headers: bearer(tokens.access_token) })).status, 401)

  t.is((await expire(user.id, null)).status, 200)
  t.is(await check(tokens.access_token), valid, 'given more time, all is as it was')
  t.is((await post({ refresh_token: device.refresh_token })).status, 200)
  const actions = await service.runtime.db('audit_log').pluck('action')
  t.is(actions.filter((action: string) => action === 'user.expiry_changed').length, 2)
})

onEachDatabase('who says when an account expires is an administrator', async (t, service) => {
  const { user, root, expire, headers } = await startWithAdministrator(service)
  const ada = await service.logIn('ada')
  const soon = service.now() + 1000
  t.is((await expire(root.id, soon, ada.headers)).body.code, 'rest_forbidden_context')
  t.is((await expire(root.id, soon)).body.code, 'rest_user_is_self')
  t.is((await expire(999, soon)).body.code, 'rest_user_invalid_id')
  for (const wrong of ['2027-02-31', 'soon', 1e15, 1.5, {}, '']) {
    const { status } = await expire(user.id, wrong)
    t.true(wrong === '' ? status === 200 : status === 400, String(wrong))
  }
  const missing = await service.json(`/wp/v2/users/${user.id}`, {
    method: 'PATCH',
    headers,
    json: {},
  })
  t.is(missing.status, 400)
  const token = (await service.json(tokenPath, { fields: { ...(await service.mint(root.id)) } }))
    .body
  t.true((await expire(user.id, soon, bearer(token.access_token) as any)).status >= 401)
})
