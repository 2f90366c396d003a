import { setTimeout as delay } from 'node:timers/promises'
import { onEachDatabase } from '../helpers/with-service.js'

const override = (method: string) => ({ 'X-HTTP-Method-Override': method })

onEachDatabase('a POST can say that it is another method, in any case', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  const post = (target: string, method: string, fields?: Record<string, string>) =>
    service.json(target, {
      method: 'POST',
      headers: { ...headers, ...override(method) },
      ...(fields && { fields }),
    })
  for (const mount of ['', '/wp-json', '/index.php?rest_route=']) {
    t.is((await post(mount + path, 'GET')).body[0].api_key, pair.api_key)
    t.is((await post(`${mount}/wp/v2/users/me`, 'get')).body.id, user.id)
  }
  const renamed = await post(`${path}/${pair.api_key}`, 'patch', { name: 'Renamed' })
  t.is(renamed.body.name, 'Renamed')
  t.is((await post(`${path}/${pair.api_key}/revoke`, 'DELETE', { a: 'b' })).body, true)
  t.is((await post(`${path}/revoke-all`, 'dElEtE')).body, 0)
  t.deepEqual((await post(path, 'OPTIONS')).body.methods, ['GET', 'POST'])
})

onEachDatabase('no other method can', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id, 'Alive')
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']) {
    for (const target of [`${path}/revoke-all`, `${path}/${pair.api_key}/revoke`]) {
      if (method === 'DELETE') continue
      await service.fetch(target, { method, headers: { ...headers, ...override('DELETE') } })
    }
    const minted = await service.fetch(path, {
      method,
      headers: { ...headers, ...override('POST') },
    })
    t.false((await minted.text()).includes('api_secret'), method)
  }
  const { body } = await service.json(path, { headers })
  t.deepEqual(
    body.map((row: any) => row.name),
    ['Alive'],
  )
})

onEachDatabase('an override that is no method of ours leaves a POST a POST', async (t, service) => {
  const user = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  for (const method of [
    '',
    'POST',
    'TRACE',
    'CONNECT',
    'GET, DELETE',
    'constructor',
    'x'.repeat(5000),
  ]) {
    const { status } = await service.json(path, {
      headers: { ...headers, ...override(method) },
      json: { name: 'Minted' },
    })
    t.is(status, 200, method.slice(0, 20))
  }
  const { body } = await service.json(path, { headers })
  t.is(body.length, 7)
})

onEachDatabase('an override to HEAD leaves no client waiting for a body', async (t, service) => {
  const answer = service.json('/wp/v2/users/me', { method: 'POST', headers: override('HEAD') })
  const first = await Promise.race([answer, delay(5000, 'still waiting', { ref: false })])
  t.not(first, 'still waiting')
  t.is((await answer).status, 404)
})

onEachDatabase('pages and sessions know nothing of it', async (t, service) => {
  await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const { status } = await service.json('/session', {
    method: 'POST',
    headers: { ...headers, ...override('GET') },
  })
  t.is(status, 404)
})
