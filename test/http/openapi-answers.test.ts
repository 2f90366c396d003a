import { createCaller, type Json, onSqlite, readDocument } from '../helpers/described-service.js'
import { setUpApp } from '../helpers/second-factors.js'
import { bearer, passwordOf } from '../helpers/with-service.js'

onSqlite('every answer is as described', async (t, service) => {
  const document = await readDocument(service)
  const { call, covered, problems } = createCaller(service, document)
  const api = '/wp-json/wp/v2'
  const admin = await service.createUser('ada', 'administrator')
  await service.createUser('bob')

  // Sessions
  const credentials = { user_login: 'ada', password: passwordOf('ada') }
  await call('/login', '/login', { json: credentials, status: 200 })
  await call('/login', '/login', { json: { user_login: 'ada' }, status: 400 })
  await call('/login', '/login', { json: { ...credentials, password: 'x' }, status: 401 })
  await call('/login', '/login', {
    headers: { Origin: 'https://other.sample.org' },
    json: credentials,
    status: 403,
  })
  const { headers: person } = await service.logIn('ada')
  const { headers: other } = await service.logIn('bob')
  await call('/session', '/session', { headers: person, status: 200 })
  await call('/session', '/session', { status: 401 })

  // Second factor
  const eve = await service.createUser('eve')
  const guarded = await service.logIn('eve')
  const app = await setUpApp(service, guarded)
  const proof = '/session/second-factor'
  const secondFactor = { user_login: 'eve', password: passwordOf('eve') }
  await call('/login', '/login', { json: secondFactor, status: 401 })
  await call('/login', '/login', { json: { ...secondFactor, otp: app.wrong() }, status: 401 })
  await call('/login', '/login', { json: { ...secondFactor, otp: app.next() }, status: 200 })
  service.advance(3600)
  const evesPairs = `${api}/key-pair/${eve.id}`
  await call(`${api}/key-pair/{user_id}`, evesPairs, {
    headers: guarded.headers,
    fields: { name: 'E' },
    status: 403,
  })
  await call(`${api}/key-pair/{user_id}/revoke-all`, `${evesPairs}/revoke-all`, {
    method: 'DELETE',
    headers: guarded.headers,
    status: 403,
  })
  const prove = (fields: Record<string, string>, status: number, headers = guarded.headers) =>
    call(proof, proof, { headers, fields, status })
  await prove({ otp: app.next() }, 200)
  await prove({ otp: app.wrong() }, 401)
  await prove({ passkey: '{}' }, 401)
  await prove({ otp: '' }, 400)
  await prove({ otp: app.next() }, 401, {})
  const challenge = (status: number, headers = guarded.headers) =>
    call(`${proof}/challenge`, `${proof}/challenge`, { method: 'POST', headers, status })
  await challenge(404)
  await challenge(403, { ...guarded.headers, Origin: 'https://other.sample.org' })
  const evesKey = { credentialId: 'AAAA', publicKey: 'AAAA', counter: 0, transports: ['usb'] }
  const made = { userId: eve.id, name: 'Key', createdAt: 1 }
  await service.runtime.stores.passkeys.insert({ ...evesKey, ...made })
  await challenge(200)

  // Key-pairs
  const pairs = `${api}/key-pair/{user_id}`
  const own = `${api}/key-pair/${admin.id}`
  const limits = {
    scopes: ['read'],
    networks: ['127.0.0.0/8'],
    description: 'd',
    expires_at: '2099-01-01',
  }
  const minted = await call(pairs, own, {
    headers: person,
    json: { name: 'A', ...limits },
    status: 200,
  })
  const second = await call(pairs, own, { headers: person, fields: { name: 'B' }, status: 200 })
  const spare = await call(pairs, own, { headers: person, fields: { name: 'C' }, status: 200 })
  await call(pairs, own, { headers: person, fields: { name: '' }, status: 403 })
  await call(pairs, own, { headers: person, json: { name: 5 }, status: 400 })
  await call(pairs, own, {
    headers: { ...person, 'Content-Type': 'text/plain' },
    method: 'POST',
    status: 400,
  })
  await call(pairs, own, { headers: person, status: 200 })
  await call(pairs, `${own}?status=some`, { headers: person, status: 400 })
  await call(pairs, own, { headers: other, status: 403 })
  await call(pairs, `${api}/key-pair/x`, { headers: person, status: 404 })
  const one = `${pairs}/{api_key}`
  const key = minted.row.api_key
  await call(one, `${own}/${key}`, {
    method: 'PATCH',
    headers: person,
    json: { name: 'A2' },
    status: 200,
  })
  await call(one, `${own}/${key}`, { method: 'PATCH', headers: person, json: {}, status: 400 })
  await call(one, `${own}/nobody`, {
    method: 'PATCH',
    headers: person,
    json: { name: 'N' },
    status: 404,
  })
  const rotated = await call(`${one}/rotate`, `${own}/${key}/rotate`, {
    headers: person,
    json: { overlap: 60 },
    status: 200,
  })
  await call(`${one}/rotate`, `${own}/${key}/rotate`, {
    headers: person,
    json: { overlap: 60 },
    status: 409,
  })
  await call(`${one}/rotate`, `${own}/${key}/rotate`, {
    headers: person,
    json: { overlap: 'x' },
    status: 400,
  })
  await call(pairs, `${own}?status=all`, { headers: person, status: 200 })

  // Tokens
  const pair = { api_key: key, api_secret: rotated.api_secret }
  const token = `${api}/token`
  const tokens = await call(token, token, { fields: pair, status: 200 })
  await call(token, token, { fields: { refresh_token: tokens.refresh_token }, status: 200 })
  await call(token, token, { fields: { grant_type: 'client_credentials', ...pair }, status: 200 })
  await call(token, token, { fields: { api_key: key, api_secret: 'wrong' }, status: 403 })
  await call(token, token, { fields: { ...pair, scope: 'write' }, status: 400 })
  await call(token, token, { fields: { grant_type: 'password', ...pair }, status: 400 })
  await call(token, token, { fields: { grant_type: 'client_credentials' }, status: 401 })
  await call(`${token}/validate`, `${token}/validate`, {
    headers: bearer(tokens.access_token),
    status: 200,
  })
  await call(`${token}/validate`, `${token}/validate`, {
    headers: bearer(tokens.refresh_token),
    status: 200,
  })
  await call(`${token}/validate`, `${token}/validate`, { headers: bearer('x'), status: 403 })
  await call(`${token}/validate`, `${token}/validate`, { status: 403 })

  // Accounts that expire
  const account = `${api}/users/{id}`
  const limit = { method: 'PATCH', headers: person, json: { expires_at: '2100-01-31' } }
  await call(account, `${api}/users/${eve.id}`, { ...limit, status: 200 })
  await call(account, `${api}/users/999`, { ...limit, status: 404 })
  await call(account, `${api}/users/${admin.id}`, { ...limit, status: 409 })
  await call(account, `${api}/users/${eve.id}`, { ...limit, headers: other, status: 403 })
  await call(account, `${api}/users/${eve.id}`, {
    ...limit,
    json: { expires_at: 'x' },
    status: 400,
  })

  // Tokens as a client wishes them
  const wished = { ...pair, is_revocable: 'true', description: 'Nightly', device: 'server' }
  const { jti } = await call(token, token, { fields: wished, status: 200 })
  const bound = { grant_type: 'client_credentials', ...pair, is_revocable: 'true' }
  await call(token, token, { fields: bound, status: 200 })
  await call(token, token, { fields: { ...pair, expires_in: '0' }, status: 400 })
  await call(token, token, { fields: { ...pair, is_refreshable: 'false' }, status: 200 })
  const registered = `${own}/${key}/tokens`
  await call(`${one}/tokens`, registered, { headers: person, status: 200 })
  await call(`${one}/tokens`, registered, { headers: other, status: 403 })
  await call(`${one}/tokens`, `${own}/nobody/tokens`, { headers: person, status: 404 })
  const remove = { method: 'DELETE', headers: person }
  const single = `${one}/tokens/{jti}`
  await call(single, `${registered}/${jti}`, { ...remove, status: 200 })
  await call(single, `${registered}/of-nobody`, { ...remove, status: 404 })
  await call(single, `${registered}/${jti}`, { ...remove, headers: other, status: 403 })
  await call(`${one}/tokens`, registered, { headers: person, status: 200 })

  // Devices
  const ofDevice = { ...pair, device: 'phone' }
  const phone = await call(token, token, { fields: ofDevice, status: 200 })
  const retried = { refresh_token: phone.refresh_token }
  await call(token, token, { fields: retried, status: 200 })
  await call(token, token, { fields: { ...retried, device: 'desk' }, status: 403 })
  service.advance(31)
  await call(token, token, { fields: retried, status: 403 })
  await call(`${token}/validate`, `${token}/validate`, {
    headers: bearer(phone.access_token),
    status: 403,
  })
  await call(token, token, { fields: { ...pair, device: 'desk' }, status: 200 })
  const inUse = `${own}/${key}/devices`
  const devices = await call(`${one}/devices`, inUse, { headers: person, status: 200 })
  t.deepEqual(devices.map(({ name, incident }: any) => [name, incident !== undefined]).sort(), [
    ['desk', false],
    ['phone', true],
    ['server', false],
  ])
  await call(`${one}/devices`, inUse, { headers: other, status: 403 })
  await call(`${one}/devices`, `${own}/nobody/devices`, { headers: person, status: 404 })
  const device = `${one}/devices/{device_id}`
  for (const { id } of devices) {
    const ended = { method: 'DELETE', headers: person, status: 200 }
    await call(device, `${inUse}/${id}`, ended)
  }
  await call(device, `${inUse}/999`, { method: 'DELETE', headers: person, status: 404 })
  await call(device, `${inUse}/x`, { method: 'DELETE', headers: person, status: 404 })
  await call(device, `${inUse}/1`, { method: 'DELETE', headers: other, status: 403 })
  await call(`${one}/devices`, inUse, { headers: person, status: 200 })
  await call(one, `${own}/${key}`, {
    method: 'PATCH',
    headers: person,
    json: { require_device: true },
    status: 200,
  })
  await call(token, token, { fields: pair, status: 403 })
  await call(one, `${own}/${key}`, {
    method: 'PATCH',
    headers: person,
    json: { require_device: false },
    status: 200,
  })

  // usefulteam/jwt-auth
  const theirs = '/wp-json/jwt-auth/v1/token'
  const logIn = { username: 'ada', password: pair.api_secret }
  const minted2 = await call(theirs, theirs, { fields: logIn, status: 200 })
  await call(theirs, theirs, { fields: { ...logIn, password: 'x' }, status: 401 })
  await call(theirs, theirs, { json: { ...logIn, device: [] }, status: 400 })
  await call(theirs, theirs, { fields: { refresh_token: '1.x' }, status: 401 })
  await call(`${theirs}/validate`, `${theirs}/validate`, {
    method: 'POST',
    headers: bearer(minted2.data.token),
    status: 200,
  })
  for (const headers of [{}, bearer('x'), bearer(tokens.refresh_token)]) {
    await call(`${theirs}/validate`, `${theirs}/validate`, { method: 'POST', headers, status: 401 })
  }
  const held = await service.fetch(theirs, { method: 'POST', body: new URLSearchParams(logIn) })
  const [cookie = ''] = held.headers.getSetCookie()
  const [refreshCookie = ''] = cookie.split(';')
  await call(`${theirs}/refresh`, `${theirs}/refresh`, {
    method: 'POST',
    headers: { Cookie: refreshCookie },
    status: 200,
  })
  await call(`${theirs}/refresh`, `${theirs}/refresh`, {
    fields: { refresh_token: refreshCookie.replace(/^.*=/, '') },
    status: 200,
  })
  await call(`${theirs}/refresh`, `${theirs}/refresh`, { method: 'POST', status: 401 })

  // OAuth
  const client = { client_id: second.row.api_key, client_secret: second.api_secret }
  const grant = { grant_type: 'client_credentials', scope: 'offline_access' }
  const granted = await call('/oauth2/token', '/oauth2/token', {
    fields: { ...grant, ...client },
    status: 200,
  })
  await call('/oauth2/token', '/oauth2/token', { fields: client, status: 400 })
  await call('/oauth2/token', '/oauth2/token', {
    fields: { ...grant, ...client, client_secret: 'x' },
    status: 401,
  })
  const asked = '/oauth2/introspect'
  await call(asked, asked, { fields: { ...client, token: granted.access_token }, status: 200 })
  await call(asked, asked, { fields: { ...client, token: granted.refresh_token }, status: 200 })
  await call(asked, asked, { fields: { ...client, token: 'x' }, status: 200 })
  await call(asked, asked, { fields: client, status: 400 })
  await call(asked, asked, { fields: { token: 'x' }, status: 401 })
  const revoke = '/oauth2/revoke'
  await call(revoke, revoke, { fields: { ...client, token: tokens.access_token }, status: 400 })
  await call(revoke, revoke, { fields: { ...client, token: granted.access_token }, status: 200 })
  await call(revoke, revoke, { fields: { ...client, token: 'x' }, status: 401 })

  // Audit
  const audit = `${api}/audit`
  await call(audit, audit, { headers: person, status: 200 })
  await call(audit, `${audit}?from=never`, { headers: person, status: 400 })
  await call(audit, audit, { headers: other, status: 403 })
  await call(audit, audit, { status: 401 })
  await call(`${one}/audit`, `${own}/${key}/audit`, { headers: person, status: 200 })
  await call(`${one}/audit`, `${own}/${key}/audit`, { headers: other, status: 403 })

  // Users
  const users = `${api}/users`
  const holder = bearer(tokens.access_token)
  await call(users, `${users}?per_page=1&page=2`, { headers: person, status: 200 })
  await call(users, `${users}?page=0`, { headers: person, status: 400 })
  await call(users, users, { headers: other, status: 403 })
  await call(`${users}/me`, `${users}/me`, { headers: holder, status: 200 })
  await call(`${users}/me`, `${users}/me?context=edit`, { headers: person, status: 200 })
  await call(`${users}/me`, `${users}/me`, { headers: bearer(tokens.refresh_token), status: 403 })
  await call(`${users}/me`, `${users}/me`, { status: 401 })
  await call(`${users}/{id}`, `${users}/${admin.id}`, { headers: person, status: 200 })
  await call(`${users}/{id}`, `${users}/999`, { headers: person, status: 404 })
  await call(`${users}/{id}`, `${users}/${admin.id}`, { headers: other, status: 403 })

  // Proxies
  const forward = '/forward-auth'
  await call(forward, `${forward}?scope=read`, { headers: holder, status: 204 })
  await call(forward, `${forward}?scope=write`, { headers: holder, status: 403 })
  await call(forward, forward, { headers: bearer('x'), status: 401 })

  // Discovery and health
  await service.runtime.services.signingKeys.generate('ES256')
  for (const path of Object.keys(document.paths)) {
    const isFixed = !path.includes('{') && document.paths[path].get?.security.length === 0
    if (isFixed) await call(path, path, { status: 200 })
  }
  const jwks = await call('/.well-known/jwks.json', '/.well-known/jwks.json', { status: 200 })
  t.true(Array.isArray(jwks.keys))

  // What ends things comes last.
  const wrong = { old_password: 'x', new_password: 'another-pass-1' }
  const refusals = (apiKey: string, headers: Record<string, string>, status: number) =>
    call(`${one}/refusals`, `${own}/${apiKey}/refusals`, { headers, status })
  await refusals(spare.row.api_key, person, 200)
  await refusals(spare.row.api_key, other, 403)
  await refusals('none', person, 404)
  await call(`${one}/revoke`, `${own}/${spare.row.api_key}/revoke`, {
    method: 'DELETE',
    headers: person,
    status: 200,
  })
  await call(`${one}/revoke`, `${own}/${spare.row.api_key}/revoke`, {
    method: 'DELETE',
    headers: other,
    status: 403,
  })
  await call(token, token, {
    fields: { api_key: spare.row.api_key, api_secret: spare.api_secret },
    status: 403,
  })
  await call(`${pairs}/revoke-all`, `${own}/revoke-all`, {
    method: 'DELETE',
    headers: person,
    status: 200,
  })
  await call(`${pairs}/revoke-all`, `${own}/revoke-all`, {
    method: 'DELETE',
    headers: other,
    status: 403,
  })
  await call(`${users}/me`, `${users}/me`, { headers: holder, status: 403 })
  await call(`${users}/me/password`, `${users}/me/password`, {
    headers: person,
    json: wrong,
    status: 403,
  })
  await call(`${users}/me/password`, `${users}/me/password`, {
    headers: other,
    json: { ...wrong, old_password: passwordOf('bob') },
    status: 200,
  })
  await call('/logout', '/logout', {
    headers: { ...person, 'X-WP-Nonce': 'x' },
    method: 'POST',
    status: 403,
  })
  await call('/logout', '/logout', { headers: person, method: 'POST', status: 200 })

  t.deepEqual(problems, [])
  for (const [path, methods] of Object.entries<Json>(document.paths)) {
    for (const [method, { responses }] of Object.entries<Json>(methods)) {
      const [success] = Object.keys(responses)
      t.true(covered.has(`${method.toUpperCase()} ${path} ${success}`), `${method} ${path}`)
    }
  }
})
