import { setTimeout as delay } from 'node:timers/promises'
import { clientOf, onEachDatabaseAlone } from '../helpers/with-nodes.js'
import { type Pair, passwordOf } from '../helpers/with-service.js'

onEachDatabaseAlone('200 simultaneous mints by one user are 200 key-pairs', async (t, service) => {
  const { id } = await service.createUser('ada')
  const browser = await service.logIn('ada')
  const client = clientOf(service.url, browser.headers)
  const names = Array.from({ length: 200 }, (_, i) => `Pair ${i}`)

  const pairs = await Promise.all(names.map((name) => client.mint(id, name)))
  t.is(new Set(pairs.map((pair) => pair.api_key)).size, 200)
  t.is(new Set(pairs.map((pair) => pair.api_secret)).size, 200)

  const { body: rows } = await service.json(`/wp/v2/key-pair/${id}`, { headers: browser.headers })
  const listed = new Map(rows.map((row: any) => [row.api_key, row.name]))
  t.is(rows.length, 200)
  for (const [i, pair] of pairs.entries()) t.is(listed.get(pair.api_key), names[i])

  const answers = await Promise.all(pairs.map((pair) => client.exchange(pair)))
  for (const [i, { status, body }] of answers.entries()) {
    t.is(status, 200)
    t.is(body.data.user.api_key, pairs[i]?.api_key)
  }
})

onEachDatabaseAlone(
  'mints beside exchanges and uses of other pairs lose nothing',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    const browser = await service.logIn('ada')
    const client = clientOf(service.url, browser.headers)
    const used = await client.mint(id, 'Used')
    const minted: Pair[] = []
    for (let round = 0; round < 10; round++) {
      const results = await Promise.all([
        ...Array.from({ length: 6 }, () => client.mint(id, `Round ${round}`)),
        ...Array.from({ length: 6 }, () => client.exchange(used).then(() => undefined)),
        service.runtime.services.usage.flush().then(() => undefined),
      ])
      minted.push(...results.filter((result) => result !== undefined))
    }
    const alive = await service.runtime.stores.keyPairs.listByUser(id)
    t.deepEqual(
      alive.map((pair) => pair.apiKey).sort(),
      [used, ...minted].map((pair) => pair.api_key).sort(),
    )
  },
)

onEachDatabaseAlone(
  'no key-pair minted by an old session survives a change of password',
  async (t, service) => {
    const { id } = await service.createUser('ada')
    let password = passwordOf('ada')
    let minted = 0
    let refused = 0
    for (let round = 0; round < 8; round++) {
      const browser = await service.logIn('ada', password)
      const client = clientOf(service.url, browser.headers)
      const next = `${passwordOf('ada')}-${round}`
      let isChanged = false
      const change = client
        .send('POST', '/wp/v2/users/me/password', { old_password: password, new_password: next })
        .then((answer) => {
          isChanged = true
          return answer
        })
      const mintUntilChanged = async () => {
        const pairs: Pair[] = []
        for (let more = 3; more > 0; ) {
          if (isChanged) more--
          const { status, body } = await client.send('POST', `/wp/v2/key-pair/${id}`, { name: 'x' })
          if (status === 200) {
            pairs.push({ api_key: body.row.api_key, api_secret: body.api_secret })
          } else {
            refused++
            t.is(body.code, 'rest_not_logged_in')
          }
        }
        return pairs
      }
      const pairs = (await Promise.all(Array.from({ length: 16 }, mintUntilChanged))).flat()
      t.is((await change).status, 200)
      minted += pairs.length

      t.deepEqual(await service.runtime.stores.keyPairs.listByUser(id), [])
      for (const pair of pairs.slice(-4)) {
        const { status, body } = await client.exchange(pair)
        t.deepEqual([status, body.code], [403, 'rest_authentication_revoked_api_key'])
      }
      password = next
    }
    t.true(minted > 0 && refused > 0, `${minted} minted before, ${refused} refused after`)
  },
)

onEachDatabaseAlone(
  'no log-in with the old password outlives a change of password',
  async (t, service) => {
    let opened = 0
    for (let round = 0; round < 6; round++) {
      const login = `user${round}`
      const { id } = await service.createUser(login)
      const browser = await service.logIn(login)
      const logIn = async (wait: number) => {
        await delay(wait)
        const response = await service.fetch('/login', {
          method: 'POST',
          // An address of its own each time, for the limiter of failed log-ins.
          headers: { 'X-Forwarded-For': `10.0.${round}.${wait}` },
          body: new URLSearchParams({ user_login: login, password: passwordOf(login) }),
        })
        await response.text()
        if (response.status === 200) opened++
        return response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      }
      const logIns = [0, 10, 20, 30, 40, 50, 60, 70].map(logIn)
      const change = await service.json('/wp/v2/users/me/password', {
        headers: browser.headers,
        fields: { old_password: passwordOf(login), new_password: `${login}-new-pass` },
      })
      t.is(change.status, 200)
      const cookies = [browser.cookie, ...(await Promise.all(logIns))]
      for (const Cookie of cookies) {
        t.is((await service.fetch('/session', { headers: { Cookie } })).status, 401)
      }
      t.is((await service.runtime.stores.sessions.listByUser(id)).length, 1, 'the new one only')
    }
    t.true(opened > 0)
  },
  { TRUST_PROXY: '1' },
)
