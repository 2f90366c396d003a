import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import mysql from 'mysql2/promise'
import pino from 'pino'
import { loadConfig } from '../../src/config.js'
import { operator } from '../../src/domain/actor.js'
import { createRuntime } from '../../src/runtime.js'
import { mariadbBinary, startMariadb } from '../helpers/mariadb-server.js'
import { spawnService } from '../helpers/spawn-service.js'
import { clientOf } from '../helpers/with-nodes.js'
import { jwtSecret, type Pair, passwordOf } from '../helpers/with-service.js'

const register = mariadbBinary ? test.serial : test.serial.skip
/** Twenty by `SURVIVAL_OUTAGE=20`. */
const outageSeconds = Number(process.env.SURVIVAL_OUTAGE ?? 3)
/** What is promised is two seconds; a busy test machine needs more to start its own requests. */
const recoveryMs = 10_000

register('MariaDB: an outage under load is 503, and over when the server is back', async (t) => {
  t.timeout(180_000)
  const server = await startMariadb()
  const connection = await mysql.createConnection(server.url)
  await connection.query('create database twinkey')
  await connection.end()
  const env = {
    DATABASE_URL: new URL('twinkey', server.url).href,
    JWT_SECRET: jwtSecret,
    PUBLIC_URL: 'http://id.example.com',
    LOG_LEVEL: 'fatal',
  }
  const logger = pino({ level: 'silent' })
  const runtime = await createRuntime(loadConfig(env), { logger, migrate: true })
  const node = await spawnService(env)
  try {
    const { users, keyPairs } = runtime.services
    const role = 'subscriber'
    const password = passwordOf('ada')
    const user = await users.create({ login: 'ada', email: 'ada@sample.org', password, role })
    const logIn = await node.fetch('/login', {
      method: 'POST',
      body: new URLSearchParams({ user_login: 'ada', password }),
    })
    const { nonce } = (await logIn.json()) as { nonce: string }
    const cookie = logIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const client = clientOf(node.url, { Cookie: cookie, 'X-WP-Nonce': nonce })
    const good = (await client.exchange(await client.mint(user.id, 'Good'))).body.access_token
    const deadPair = await client.mint(user.id, 'Dead')
    const dead = (await client.exchange(deadPair)).body.access_token
    await keyPairs.revoke(operator, user.id, deadPair.api_key)

    const seen = { good: new Set<number>(), dead: new Set<number>(), write: new Set<number>() }
    const minted: Pair[] = []
    const revoked = new Set<string>()
    let isOver = false
    const check = async () => {
      while (!isOver) {
        const answers = await Promise.all([client.validate(good), client.validate(dead)])
        seen.good.add(answers[0].status)
        seen.dead.add(answers[1].status)
      }
    }
    const write = async () => {
      while (!isOver) {
        const { status, body } = await client.send('POST', `/wp/v2/key-pair/${user.id}`, {
          name: 'x',
        })
        seen.write.add(status)
        if (status !== 200) {
          await delay(20)
          continue
        }
        const pair = { api_key: body.row.api_key, api_secret: body.api_secret }
        minted.push(pair)
        const end = await client.revoke(user.id, pair.api_key)
        if (end.status === 200) revoked.add(pair.api_key)
      }
    }
    const working = [check(), check(), write(), write()]
    await delay(500)
    const before = minted.length
    t.true(before > 0)
    await server.stop()
    await delay(outageSeconds * 1000)
    t.is((await node.fetch('/healthz')).status, 200, 'the process lives')
    t.is((await node.fetch('/readyz')).status, 503)
    await server.start()
    const back = performance.now()
    while ((await client.validate(good)).status !== 200) {
      if (performance.now() - back > recoveryMs) break
      await delay(20)
    }
    const recovery = performance.now() - back
    t.log(`checks were answered again after ${Math.round(recovery)} ms`)
    t.true(recovery < recoveryMs)
    await delay(500)
    isOver = true
    await Promise.all(working)

    t.deepEqual([...seen.good].sort(), [200, 503])
    t.deepEqual([...seen.dead].sort(), [403, 503])
    t.deepEqual([...seen.write].sort(), [200, 503])
    t.true(minted.length > before, 'writes go on')
    const listed = await keyPairs.list(operator, user.id, { includeRevoked: true })
    const rows = new Map(listed.map((pair) => [pair.apiKey, pair]))
    for (const { api_key } of minted) {
      t.true(rows.has(api_key), 'an answered mint was lost')
      if (revoked.has(api_key)) t.not(rows.get(api_key)?.revokedAt, null, 'a revocation was undone')
    }
  } finally {
    t.is(await node.stop(), 0, node.output())
    await runtime.close()
    await server.remove()
  }
})
