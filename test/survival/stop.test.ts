import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { clientOf, onEachDatabaseWithNodes } from '../helpers/with-nodes.js'

/** One request of a client that keeps its connection as long as the server lets it. */
function get(url: string, agent: Agent, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end()
  })
}

onEachDatabaseWithNodes(
  'SIGTERM under load fails readiness first, drops no request and loses no answered write',
  async (t, nodes) => {
    t.timeout(120_000)
    const node = await nodes.start({ SHUTDOWN_DELAY: '3' })
    const { id } = nodes.user
    const headers = await nodes.logIn(node)
    const client = clientOf(node.url, headers)
    const pair = await client.mint(id, 'Steady')
    const { body } = await client.exchange(pair)
    const minted: string[] = []
    const dropped: string[] = []
    let answered = 0
    let isOver = false

    const check = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      while (!isOver) {
        try {
          const status = await get(`${node.url}/wp/v2/token/validate`, agent, {
            Authorization: `Bearer ${body.access_token}`,
          })
          t.is(status, 200)
          answered++
        } catch (error) {
          dropped.push(String(error))
        }
        await delay(2)
      }
      agent.destroy()
    }
    const write = async () => {
      while (!isOver) minted.push((await client.mint(id, 'Under way')).api_key)
    }
    const working = [check(), check(), check(), check(), write()]
    await delay(300)

    const began = Date.now()
    const exited = node.stop('SIGTERM')
    let readiness = 200
    while (readiness === 200) readiness = (await node.fetch('/readyz')).status
    t.is(readiness, 503)
    t.deepEqual(await (await node.fetch('/readyz')).json(), { status: 'stopping' })
    const before = answered
    await delay(300)
    t.true(answered > before, 'it still serves')
    // A load balancer has noticed by now, and sends nothing more.
    isOver = true
    await Promise.all(working)
    t.is(await exited, 0, node.output())
    t.true(Date.now() - began < 30_000)
    t.deepEqual(dropped, [])

    const known = new Set(
      (await nodes.runtime.stores.keyPairs.listByUser(id)).map(({ apiKey }) => apiKey),
    )
    for (const apiKey of minted) t.true(known.has(apiKey), 'an answered mint was lost')
    t.true(minted.length > 0)
  },
)

onEachDatabaseWithNodes('a node that stops signs off', async (t, nodes) => {
  const { list } = nodes.runtime.services.nodes
  const node = await nodes.start()
  // Beside an embedded database nobody else serves, and nobody registers.
  const registered = nodes.dialect.name === 'MariaDB' ? 1 : 0
  const deadline = Date.now() + 60_000
  while ((await list()).length < registered && Date.now() < deadline) await delay(50)
  t.is((await list()).length, registered)
  t.is(await node.stop('SIGTERM'), 0, node.output())
  t.deepEqual(await list(), [])
})
