import { onEachDatabase } from '../helpers/with-service.js'

onEachDatabase('an owner reads what happened to a pair, and nobody else’s', async (t, service) => {
  const { id } = await service.createUser('ada')
  const { id: bobId } = await service.createUser('bob')
  const { headers } = await service.logIn('ada')
  const { headers: bob } = await service.logIn('bob')
  const pair = await service.mint(id)
  const other = await service.mint(id)
  const refused = await service.json('/wp/v2/token', { fields: { ...pair, api_secret: 'x' } })
  const path = `/wp/v2/key-pair/${id}/${pair.api_key}/audit`

  const { body } = await service.json(path, { headers })
  t.deepEqual(
    body.map((entry: { action: string; reason: string }) => [entry.action, entry.reason]),
    [
      ['request.refused', 'wrong_secret'],
      ['key_pair.minted', null],
    ],
  )
  const requestId = refused.headers.get('X-Request-Id') ?? ''
  const found = await service.json(`${path}?request_id=${encodeURIComponent(requestId)}`, {
    headers,
  })
  t.is(found.body.length, 1)
  t.is(found.body[0].reason, 'wrong_secret')

  t.is((await service.json(path, { headers: bob })).status, 403)
  // A pair that is not the user's of the path is not found there, whoever asks.
  const wrong = `/wp/v2/key-pair/${bobId}/${other.api_key}/audit`
  t.deepEqual((await service.json(wrong, { headers: bob })).body, [])
  t.is((await service.json('/wp/v2/audit', { headers })).status, 403)
  const own = await service.json(`/wp/v2/audit?user_id=${id}&per_page=2`, { headers })
  t.is(own.body.length, 2)
  const older = await service.json(`/wp/v2/audit?user_id=${id}&before=${own.body[1].id}`, {
    headers,
  })
  t.true(older.body.every((entry: { id: number }) => entry.id < own.body[1].id))
  t.is((await service.json(path)).status, 401)
})

onEachDatabase('where an administrator sits is hidden from the owner', async (t, service) => {
  const { id } = await service.createUser('ada')
  await service.createUser('root', 'administrator')
  const { headers } = await service.logIn('ada')
  const { headers: root } = await service.logIn('root')
  const pair = await service.mint(id)
  const path = `/wp/v2/key-pair/${id}/${pair.api_key}`
  await service.json(`${path}/revoke`, { method: 'DELETE', headers: root })
  const [seen] = (await service.json(`${path}/audit`, { headers })).body
  t.deepEqual(
    [seen.action, seen.actor_login, seen.ip, seen.user_agent],
    ['key_pair.revoked', 'root', null, null],
  )
  const [all] = (await service.json('/wp/v2/audit?action=key_pair.revoked', { headers: root })).body
  t.is(all.ip, '127.0.0.1')
})

onEachDatabase('a filter that is none is refused by name', async (t, service) => {
  await service.createUser('root', 'administrator')
  const { headers } = await service.logIn('root')
  for (const [name, value] of [
    ['action', 'nothing'],
    ['outcome', 'maybe'],
    ['from', '2026-99-99'],
    ['before', '-1'],
    ['per_page', '101'],
    ['user_id', 'ada'],
  ]) {
    const { status, body } = await service.json(`/wp/v2/audit?${name}=${value}`, { headers })
    t.is(status, 400)
    t.true(Object.hasOwn(body.data.params, name ?? ''), name)
  }
  for (const query of ['api_key=%C3%A9', 'request_id=%F0%9F%94%91', 'api_key=x%20']) {
    t.deepEqual((await service.json(`/wp/v2/audit?${query}`, { headers })).body, [])
  }
})
