import { Agent, request } from 'node:http'
import test from 'ava'
import { operator } from '../../src/domain/actor.js'
import { dialects } from '../helpers/dialects.js'
import { spawnService } from '../helpers/spawn-service.js'
import { bearer, jwtSecret, startService } from '../helpers/with-service.js'

for (const dialect of dialects) {
  const register = dialect.isAvailable ? test : test.skip

  register(`${dialect.name}: what one worker was told, all workers know`, async (t) => {
    // The service of this process only prepares the database and asks for revocations there.
    const service = await startService(dialect)
    const workers = await spawnService(
      { DATABASE_URL: service.databaseUrl, JWT_SECRET: jwtSecret, PUBLIC_URL: service.url },
      ['serve', '--workers', '2'],
    )
    try {
      const user = await service.createUser('ada')
      for (let round = 0; round < 20; round++) {
        const pair = await service.mint(user.id)
        const { access_token } = await service.exchange(pair)
        const validate = () => statusOnNewConnection(workers.url, bearer(access_token))
        t.deepEqual(await Promise.all(Array.from({ length: 8 }, validate)), Array(8).fill(200))
        await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
        t.deepEqual(await Promise.all(Array.from({ length: 8 }, validate)), Array(8).fill(403))
      }
    } finally {
      t.is(await workers.stop(), 0)
      await service.close()
    }
  })
}

test('workers that cannot listen end the start with the reason', async (t) => {
  const first = await spawnService()
  const port = new URL(first.url).port
  try {
    await t.throwsAsync(
      async () => {
        const { child } = await spawnService({ PORT: port }, ['serve', '--workers', '2'])
        // It answered only because the first one does: wait for the end that must come.
        const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
        throw new Error(`ended with ${code}`)
      },
      { message: /ended with [1-9]|is in use/ },
    )
  } finally {
    await first.stop()
  }
})

/** Each connection is given to another worker. */
function statusOnNewConnection(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false })
    const sent = request(`${url}/wp-json/wp/v2/token/validate`, { agent, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.once('error', reject)
    sent.end()
  })
}
