import { readAnswer } from '../helpers/jwt-auth-client.js'
import { clientOf, onEachDatabaseWithNodes } from '../helpers/with-nodes.js'

const rounds = 25

onEachDatabaseWithNodes(
  'many refreshes of one cookie at once, at two processes, give one successor',
  async (t, nodes) => {
    const { user } = nodes
    const [a, b] = await Promise.all([nodes.start(), nodes.start()])
    const pair = await clientOf(a.url, await nodes.logIn(a)).mint(user.id, 'Test')
    const send = async (i: number, path: string, cookie: string, fields = {}) =>
      readAnswer(
        await (i % 2 === 0 ? a : b).fetch(`/wp-json/jwt-auth/v1/${path}`, {
          method: 'POST',
          headers: { Cookie: `refresh_token=${cookie}` },
          body: new URLSearchParams(fields),
        }),
      )
    for (const device of ['', 'phone']) {
      const named = device === '' ? {} : { device }
      const begun = await send(0, 'token', '', { ...pair, ...named })
      t.is(begun.status, 200)
      let cookie = begun.cookie ?? ''
      for (let round = 0; round < rounds; round++) {
        const answers = await Promise.all(
          Array.from({ length: 4 + (round % 5) }, (_, i) =>
            send(i, 'token/refresh', cookie, named),
          ),
        )
        t.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
        const successors = new Set(answers.map((answer) => answer.cookie))
        t.is(successors.size, 1, `round ${round}`)
        const [successor = ''] = successors
        t.not(successor, cookie)
        t.is((await send(round, 'token', cookie, named)).status, 401)
        t.is((await send(round + 1, 'token', successor, named)).status, 200)
        cookie = successor
      }
    }
  },
)
