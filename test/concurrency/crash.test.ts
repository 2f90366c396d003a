import { setTimeout as delay } from 'node:timers/promises'
import { clientOf, onEachDatabaseWithNodes } from '../helpers/with-nodes.js'
import type { SpawnedService } from '../helpers/spawn-service.js'
import type { Pair } from '../helpers/with-service.js'

/** Fifty by `SURVIVAL_ROUNDS=50`: each of them starts the service once more. */
const rounds = Number(process.env.SURVIVAL_ROUNDS ?? 5)

interface Life {
  node: SpawnedService
  isKilled: boolean
}

interface Answered {
  minted: Pair[]
  /** Keys whose revocation was answered. */
  revoked: Set<string>
  /** Keys whose revocation was asked for, and perhaps carried out. */
  asked: Set<string>
}

/** Mints and revokes until the process is gone. */
async function work(
  life: Life,
  headers: Record<string, string>,
  userId: number,
  answered: Answered,
): Promise<void> {
  const client = clientOf(life.node.url, headers)
  try {
    for (let turn = 0; ; turn++) {
      const pair = await client.mint(userId, `Turn ${turn}`)
      answered.minted.push(pair)
      if (turn % 2 === 0) continue
      answered.asked.add(pair.api_key)
      const { status, body } = await client.revoke(userId, pair.api_key)
      if (status === 200 && body === true) answered.revoked.add(pair.api_key)
    }
  } catch (error) {
    // The connection broke, which is what this waits for; anything else is a failure.
    if (!life.isKilled) throw error
  }
}

onEachDatabaseWithNodes(
  'kill -9 loses no answered mint and undoes no answered revocation',
  async (t, nodes) => {
    const { user } = nodes
    const answered: Answered = { minted: [], revoked: new Set(), asked: new Set() }
    let node = await nodes.start()
    const headers = await nodes.logIn(node)
    const first = await clientOf(node.url, headers).mint(user.id, 'First')
    const { access_token } = (await clientOf(node.url).exchange(first)).body

    for (let round = 0; round < rounds; round++) {
      const life = { node, isKilled: false }
      const since = answered.minted.length
      const working = Array.from({ length: 4 }, () => work(life, headers, user.id, answered))
      // However slow the machine: in the middle of its work, not before it.
      while (answered.minted.length < since + 8) await delay(5)
      await delay(Math.random() * 200)
      life.isKilled = true
      t.is(await node.stop('SIGKILL'), null)
      await Promise.all(working)

      // It comes up again on what the dead process left, and knows everything that was answered.
      node = await nodes.start()
      const client = clientOf(node.url, headers)
      t.is((await client.validate(access_token)).status, 200)
      const { body: rows } = await client.send('GET', `/wp/v2/key-pair/${user.id}?status=all`)
      const listed = new Set(rows.map((row: any) => row.api_key))
      for (const pair of answered.minted) t.true(listed.has(pair.api_key), 'a mint was lost')
      for (const pair of answered.minted.slice(since)) {
        const { status, body } = await client.exchange(pair)
        const isRevoked = status === 403 && body.code === 'rest_authentication_revoked_api_key'
        if (answered.revoked.has(pair.api_key)) t.true(isRevoked, 'a revocation was undone')
        else if (answered.asked.has(pair.api_key)) t.true(isRevoked || status === 200)
        else t.is(status, 200, 'a pair that nobody revoked is dead')
      }
    }
    const client = clientOf(node.url, headers)
    for (const pair of answered.minted) {
      if (answered.revoked.has(pair.api_key)) t.is((await client.exchange(pair)).status, 403)
    }
    t.true(answered.revoked.size > 0)
    t.is(await node.stop(), 0)
  },
)
