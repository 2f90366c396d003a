import { clientOf, onEachDatabaseWithNodes } from '../helpers/with-nodes.js'

const rounds = 200
const isRefused = (answer: { status: number; body: { code?: string } }) =>
  answer.status === 403 && answer.body.code === 'rest_authentication_revoked_api_key'

onEachDatabaseWithNodes(
  'a revocation that one process has answered holds at the other',
  async (t, nodes) => {
    const { user } = nodes
    const [a, b] = await Promise.all([nodes.start(), nodes.start()])
    const headers = await nodes.logIn(a)
    const clients = [clientOf(a.url, headers), clientOf(b.url, headers)] as const
    const wrong: string[] = []

    for (let round = 0; round < rounds; round++) {
      const [here, there] = round % 2 === 0 ? clients : [clients[1], clients[0]]
      const pair = await here.mint(user.id, `Round ${round}`)
      const { status, body } = await there.exchange(pair)
      t.is(status, 200)
      // The other process now remembers the token's signature, and is busy with it.
      const busy = [1, 2].map(() => there.validate(body.access_token))
      t.is((await there.validate(body.access_token)).status, 200)
      if (round % 20 === 0) t.true((await here.revokeAll(user.id)).body > 0)
      else t.is((await here.revoke(user.id, pair.api_key)).body, true)
      const answers = await Promise.all([
        there.validate(body.access_token),
        there.exchange(pair),
        there.send('POST', '/wp/v2/token', { refresh_token: body.refresh_token }),
        here.validate(body.access_token),
      ])
      for (const [i, answer] of answers.entries()) {
        if (!isRefused(answer)) wrong.push(`round ${round}, ${i}: ${answer.status}`)
      }
      await Promise.all(busy)
    }
    t.deepEqual(wrong, [])
  },
)

onEachDatabaseWithNodes(
  'a change of password at one process ends sessions and pairs at the other',
  async (t, nodes) => {
    const { user, runtime } = nodes
    const [a, b] = await Promise.all([nodes.start(), nodes.start()])
    const client = clientOf(b.url, await nodes.logIn(b))
    const pair = await client.mint(user.id, 'Test')
    const { access_token } = (await client.exchange(pair)).body
    t.is((await client.validate(access_token)).status, 200)

    const [change, ...mints] = await Promise.all([
      clientOf(a.url, await nodes.logIn(a)).send('POST', '/wp/v2/users/me/password', {
        old_password: 'ada-pass-1',
        new_password: 'ada-pass-2',
      }),
      ...Array.from({ length: 20 }, () =>
        client.send('POST', `/wp/v2/key-pair/${user.id}`, { name: 'x' }),
      ),
    ])
    t.is(change.status, 200)
    t.true(mints.every(({ status }) => status === 200 || status === 401))
    t.true(isRefused(await client.validate(access_token)))
    t.is((await client.send('GET', `/wp/v2/key-pair/${user.id}`)).status, 401)
    t.deepEqual(await runtime.stores.keyPairs.listByUser(user.id), [])
  },
)

onEachDatabaseWithNodes(
  'what another process or the command line does is seen at once',
  async (t, nodes) => {
    const { user, runtime } = nodes
    const node = await nodes.start()
    const client = clientOf(node.url, await nodes.logIn(node))
    const { access_token } = (await client.exchange(await client.mint(user.id, 'Test'))).body
    for (let round = 0; round < 20; round++) {
      await runtime.services.users.disable(user.id)
      const disabled = await client.validate(access_token)
      t.is(disabled.body.code, 'rest_authentication_invalid_token_wp_user')
      await runtime.services.users.enable(user.id)
      t.is((await client.validate(access_token)).status, 200)
    }
    await runtime.services.users.delete(user.id)
    t.is((await client.validate(access_token)).status, 403)
    t.is((await client.send('GET', '/session')).status, 401)
  },
)
