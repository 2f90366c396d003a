import { entries, lastEntry } from '../helpers/audit.js'
import { bearer, onEachDatabase, passwordOf } from '../helpers/with-service.js'

const agent = { 'User-Agent': 'audit-test/1.0' }

onEachDatabase('each change of a key-pair leaves its entry', async (t, service) => {
  const { id } = await service.createUser('ada')
  const { headers: session } = await service.logIn('ada')
  const headers = { ...session, ...agent }
  const path = `/wp/v2/key-pair/${id}`
  const { body: minted } = await service.json(path, {
    headers,
    json: { name: 'Backup', networks: ['127.0.0.0/8'] },
  })
  const apiKey: string = minted.row.api_key
  const pair = `${path}/${apiKey}`
  await service.json(pair, { method: 'PATCH', headers, json: { name: 'Nightly' } })
  await service.json(pair, { method: 'PATCH', headers, json: { expires_at: '2099-01-01' } })
  await service.json(`${pair}/rotate`, { headers, json: { overlap: 60 } })
  await service.json(`${pair}/revoke`, { method: 'DELETE', headers })
  await service.json(`${pair}/revoke`, { method: 'DELETE', headers })

  const found = await entries(service, { apiKey })
  t.deepEqual(
    found.map(({ action, details, reason }) => ({ action, details, reason })),
    [
      {
        action: 'key_pair.minted',
        details: { name: 'Backup', networks: '127.0.0.0/8' },
        reason: null,
      },
      { action: 'key_pair.renamed', details: { name: 'Nightly', from: 'Backup' }, reason: null },
      { action: 'key_pair.changed', details: { expires_at: 4070908800 }, reason: null },
      { action: 'key_pair.rotated', details: { version: 1, overlap: 60 }, reason: null },
      // The second time there was nothing to revoke.
      { action: 'key_pair.revoked', details: {}, reason: 'revoked' },
    ],
  )
  for (const entry of found) {
    t.deepEqual(entry.actor, { kind: 'user', id, name: 'ada' })
    t.is(entry.userId, id)
    t.is(entry.ip, '127.0.0.1')
    t.is(entry.userAgent, 'audit-test/1.0')
    t.truthy(entry.requestId)
    t.is(entry.outcome, 'done')
  }
})

onEachDatabase('revoking all says so of each pair', async (t, service) => {
  const { id } = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const pairs = [await service.mint(id), await service.mint(id)]
  await service.json(`/wp/v2/key-pair/${id}/revoke-all`, { method: 'DELETE', headers })
  await service.mint(id)
  await service.json('/wp/v2/users/me/password', {
    headers,
    json: { old_password: passwordOf('ada'), new_password: 'another-pass-2' },
  })
  const found = await entries(service, { action: 'key_pair.revoked' })
  t.deepEqual(
    found.map(({ reason }) => reason),
    ['revoked_all', 'revoked_all', 'password_changed'],
  )
  t.deepEqual(
    found.slice(0, 2).map(({ apiKey }) => apiKey),
    pairs.map((pair) => pair.api_key),
  )
  t.deepEqual((await lastEntry(service, 'user.password_changed')).details, { revoked: 1 })
})

onEachDatabase('sessions and users leave their entries', async (t, service) => {
  const { id: rootId } = await service.createUser('root', 'administrator')
  const { id } = await service.createUser('ada')
  const ada = await service.logIn('ada')
  await service.logIn('ada')
  const { sessions, users, userAdministration } = service.runtime.services
  const token = ada.cookie.split('=')[1] ?? ''
  const actor = await sessions.find(token, { ip: '203.0.113.7', requestId: 'r-1' })
  if (!actor) return t.fail()
  await sessions.endOthers(actor, id)
  t.deepEqual((await lastEntry(service, 'session.ended')).details, { sessions: 1 })
  await service.json('/logout', { method: 'POST', headers: ada.headers })
  t.is((await lastEntry(service, 'session.ended')).reason, 'logged_out')
  t.is((await entries(service, { action: 'session.started' })).length, 2)

  const root = await service.logIn('root')
  const admin = await sessions.find(root.cookie.split('=')[1] ?? '', {
    ip: '203.0.113.8',
    userAgent: 'x'.repeat(1000),
    requestId: 'r-2',
  })
  if (!admin) return t.fail()
  await userAdministration.disable(admin, id)
  await userAdministration.disable(admin, id)
  await userAdministration.enable(admin, id)
  await userAdministration.resetPassword(admin, id, 'another-pass-2')
  await users.delete(id)
  const mine = await entries(service, { userId: id })
  t.deepEqual(
    mine.filter(({ action }) => action.startsWith('user.')).map(({ action }) => action),
    ['user.created', 'user.disabled', 'user.enabled', 'user.password_changed', 'user.deleted'],
  )
  const disabled = await lastEntry(service, 'user.disabled')
  t.deepEqual(disabled.actor, { kind: 'user', id: rootId, name: 'root' })
  t.is(disabled.ip, '203.0.113.8')
  t.is(disabled.requestId, 'r-2')
  t.is(disabled.userAgent, 'x'.repeat(255))
  const deleted = await lastEntry(service, 'user.deleted')
  t.is(deleted.actor.kind, 'operator')
  t.deepEqual(deleted.details, { login: 'ada', email: 'ada@sample.org' })
})

onEachDatabase('signing keys leave their entries', async (t, service) => {
  const { signingKeys } = service.runtime.services
  const { kid } = await signingKeys.generate('EdDSA')
  await signingKeys.rotate('EdDSA')
  await signingKeys.rotate('HS256')
  await signingKeys.retire(kid)
  const found = (await entries(service)).filter(({ action }) => action.startsWith('signing_key.'))
  t.deepEqual(
    found.map(({ action, details }) => [action, details.kid]),
    [
      ['signing_key.generated', kid],
      ['signing_key.rotated', kid],
      ['signing_key.rotated', null],
      ['signing_key.retired', kid],
    ],
  )
})

onEachDatabase('what was not done leaves no entry', async (t, service) => {
  const { id } = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const { api_key: apiKey } = await service.mint(id)
  const before = await entries(service)
  const path = `/wp/v2/key-pair/${id}`
  await service.json(path, { headers, json: { name: '' } })
  await service.json(`${path}/${apiKey}`, { method: 'PATCH', headers, json: { name: 'Test' } })
  const { stores, services } = service.runtime
  await t.throwsAsync(
    stores.transaction(async (tx) => {
      const actor = { kind: 'operator', id: null, name: null } as const
      await services.audit.trail.write(tx, { action: 'key_pair.revoked', actor, apiKey })
      throw new Error('rolled back')
    }),
  )
  const { users } = services
  await t.throwsAsync(
    users.create({
      login: 'ada',
      email: 'b@sample.org',
      password: 'long-enough',
      role: 'subscriber',
    }),
  )
  await t.throwsAsync(users.delete(999_999))
  const after = await entries(service)
  t.deepEqual(
    after.slice(before.length).map(({ action, reason }) => [action, reason]),
    [['request.refused', 'rest_authentication_required_name_error']],
  )
})

onEachDatabase(
  'exchanges and refreshes are recorded, those of one second together',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    const pair = await service.mint(id)
    // Within one second of the service's clock or in two, all are counted.
    const tokens = await service.exchange(pair)
    await service.exchange(pair)
    await service.exchange(pair)
    const fields = { refresh_token: tokens.refresh_token }
    const { body: refreshed } = await service.json('/wp/v2/token', { fields, headers: agent })
    const basic = Buffer.from(`${pair.api_key}:${pair.api_secret}`).toString('base64')
    await service.json('/oauth2/token', {
      fields: { grant_type: 'client_credentials' },
      headers: { Authorization: `Basic ${basic}`, 'User-Agent': 'oauth/1' },
    })
    const found = await entries(service, { apiKey: pair.api_key })
    const exchanged = found.filter(({ action }) => action === 'token.exchanged')
    const sum = exchanged.reduce((total, { times }) => total + times, 0)
    t.is(sum, 4)
    t.true(exchanged.some(({ userAgent }) => userAgent === 'oauth/1'))
    const refresh = await lastEntry(service, 'token.refreshed')
    t.deepEqual(refresh.actor, { kind: 'key_pair', id, name: 'ada' })
    t.is(refresh.userAgent, 'audit-test/1.0')
    const text = JSON.stringify(await entries(service))
    for (const secret of [pair.api_secret, tokens.access_token, refreshed.access_token, basic]) {
      t.false(text.includes(secret))
    }
  },
)

onEachDatabase('a refusal says the same to all, and why to the log', async (t, service) => {
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id)
  const exchange = (fields: Record<string, string>) => service.json('/wp/v2/token', { fields })
  const wrong = await exchange({ ...pair, api_secret: `twk_${'x'.repeat(46)}` })
  const unknown = await exchange({ ...pair, api_key: '999xyz' })
  t.deepEqual(wrong.body, unknown.body)
  const { access_token: token } = await service.exchange(pair)
  await service.runtime.services.keyPairs.revoke({ kind: 'operator' }, id, pair.api_key)
  const revoked = await service.json('/wp/v2/token/validate', { headers: bearer(token) })
  const forwarded = await service.fetch('/forward-auth', { headers: bearer(token) })
  const me = await service.json('/wp/v2/users/me', { headers: bearer(token) })
  const garbage = await service.json('/wp/v2/token/validate', { headers: bearer('a.b.c') })

  const reasonOf = async (headers: Headers) => {
    const requestId = headers.get('X-Request-Id') ?? ''
    const [entry] = await entries(service, { requestId })
    return entry && [entry.reason, entry.userId, entry.apiKey, entry.details.answer]
  }
  const answer = 'rest_authentication_invalid_api_key_secret'
  t.deepEqual(await reasonOf(wrong.headers), ['wrong_secret', id, pair.api_key, answer])
  // What was sent as a key that nobody has may be anything.
  t.deepEqual(await reasonOf(unknown.headers), ['unknown_api_key', null, null, answer])
  const gone = ['rest_authentication_revoked_api_key', id, pair.api_key, undefined]
  t.deepEqual(await reasonOf(revoked.headers), gone)
  t.deepEqual(await reasonOf(forwarded.headers), gone)
  t.deepEqual(await reasonOf(me.headers), gone)
  t.deepEqual((await reasonOf(garbage.headers))?.slice(1, 3), [null, null])
})

onEachDatabase('a failed log-in is recorded without what was typed', async (t, service) => {
  const { id } = await service.createUser('ada')
  const logIn = (user_login: string) =>
    service.json('/login', { json: { user_login, password: 'not-the-password' } })
  const known = await logIn('ada')
  const unknown = await logIn('my-password-by-mistake')
  t.deepEqual(known.body, unknown.body)
  const page = await service.fetch('/login', {
    method: 'POST',
    body: new URLSearchParams({ user_login: 'ada', password: 'wrong-again' }),
    headers: { Accept: 'text/html' },
  })
  t.truthy(page.headers.get('X-Request-Id'))
  const found = await entries(service, { action: 'login.refused' })
  t.deepEqual(
    found.map(({ reason, userId }) => [reason, userId]),
    [
      ['wrong_password', id],
      ['unknown_login', null],
      ['wrong_password', id],
    ],
  )
  t.is(found[0]?.requestId, known.headers.get('X-Request-Id'))
  t.false(JSON.stringify(await entries(service)).includes('by-mistake'))
})

onEachDatabase('a refusal names who was refused', async (t, service) => {
  const { id } = await service.createUser('ada')
  const { user: bob, headers } = await service.logIn((await service.createUser('bob')).login)
  const refused = await service.json(`/wp/v2/key-pair/${id}`, { headers })
  t.is(refused.status, 403)
  const entry = await lastEntry(service, 'request.refused')
  t.deepEqual(entry.actor, { kind: 'user', id: bob.id, name: 'bob' })
  t.is(entry.reason, 'rest_authentication_edit_user_error')
  t.is(entry.requestId, refused.headers.get('X-Request-Id'))
})

onEachDatabase('an id that a client sends counts for nothing', async (t, service) => {
  const headers = { 'X-Request-Id': 'mine' }
  const refused = await service.json('/wp/v2/token/validate', { headers })
  t.regex(refused.headers.get('X-Request-Id') ?? '', /^[0-9a-f]{12}-[0-9a-z]+$/)
  const other = await service.json('/session', { headers })
  t.not(other.headers.get('X-Request-Id'), refused.headers.get('X-Request-Id'))
})

onEachDatabase(
  'an id that a trusted proxy sends is kept, if it is one',
  async (t, service) => {
    const idFor = async (path: string, id: string) => {
      const response = await service.fetch(path, { headers: { 'X-Request-Id': id } })
      return response.headers.get('X-Request-Id')
    }
    for (const path of ['/wp/v2/token/validate', '/session', '/forward-auth']) {
      t.is(await idFor(path, 'a1.B2-c3'), 'a1.B2-c3')
      t.not(await idFor(path, 'a b'), 'a b')
      t.not(await idFor(path, 'x'.repeat(65)), 'x'.repeat(65))
    }
  },
  { TRUST_PROXY: '1' },
)

onEachDatabase('the dialect of usefulteam/jwt-auth leaves its entries too', async (t, service) => {
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id)
  const answer = await service.json('/wp-json/jwt-auth/v1/token', {
    fields: { username: 'ada', password: pair.api_secret, device: 'phone' },
  })
  t.is(answer.status, 200)
  const [exchanged] = await entries(service, { action: 'token.exchanged' })
  t.is(exchanged?.apiKey, pair.api_key)
  t.is(exchanged?.userId, id)
})
