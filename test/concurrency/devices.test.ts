import { clientOf, onEachDatabaseWithNodes } from '../helpers/with-nodes.js'

const rounds = 25

onEachDatabaseWithNodes(
  'a device that refreshes many times at once, at two processes, has one chain',
  async (t, nodes) => {
    const { user } = nodes
    const [a, b] = await Promise.all([nodes.start(), nodes.start()])
    const here = clientOf(a.url, await nodes.logIn(a))
    const clients = [here, clientOf(b.url)]
    const pair = await here.mint(user.id, 'Test')
    const begun = await here.send('POST', '/wp/v2/token', { ...pair, device: 'phone' })
    t.is(begun.status, 200)
    let refreshToken: string = begun.body.refresh_token

    for (let round = 0; round < rounds; round++) {
      const many = 4 + (round % 5)
      const answers = await Promise.all(
        Array.from({ length: many }, (_, i) =>
          clients[i % 2]?.send('POST', '/wp/v2/token', { refresh_token: refreshToken }),
        ),
      )
      t.deepEqual(new Set(answers.map((answer) => answer?.status)), new Set([200]))
      const successors = new Set(answers.map((answer) => answer?.body.refresh_token))
      t.is(successors.size, 1, `round ${round}`)
      const [successor] = successors
      t.not(successor, refreshToken)
      refreshToken = successor
      // Each of them is as good as the others, wherever it was issued.
      for (const answer of answers) {
        t.is((await clients[(round + 1) % 2]?.validate(answer?.body.access_token))?.status, 200)
      }
    }
    const devices = await here.send('GET', `/wp/v2/key-pair/${user.id}/${pair.api_key}/devices`)
    t.is(devices.body.length, 1)
    t.false('incident' in devices.body[0])
  },
)

onEachDatabaseWithNodes(
  'a device signed out at one process while it refreshes at the other stays signed out',
  async (t, nodes) => {
    const { user } = nodes
    const [a, b] = await Promise.all([nodes.start(), nodes.start()])
    const here = clientOf(a.url, await nodes.logIn(a))
    const there = clientOf(b.url)
    const pair = await here.mint(user.id, 'Test')
    const path = `/wp/v2/key-pair/${user.id}/${pair.api_key}/devices`
    for (let round = 0; round < rounds; round++) {
      const { body } = await there.send('POST', '/wp/v2/token', { ...pair, device: 'phone' })
      const [{ id }] = (await here.send('GET', path)).body
      const [ended, ...refreshed] = await Promise.all([
        here.send('DELETE', `${path}/${id}`),
        ...[1, 2].map(() =>
          there.send('POST', '/wp/v2/token', { refresh_token: body.refresh_token }),
        ),
      ])
      t.is(ended?.body, true)
      const got = refreshed.filter(({ status }) => status === 200).map((answer) => answer.body)
      for (const tokens of [body, ...got]) {
        const { refresh_token, access_token } = tokens
        const refused = await there.send('POST', '/wp/v2/token', { refresh_token })
        t.is(refused.body.code, 'rest_authentication_device_signed_out')
        t.is((await there.validate(access_token)).status, 403)
      }
    }
  },
)
