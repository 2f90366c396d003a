import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Socket } from 'node:net'
import test from 'ava'
import mysql from 'mysql2/promise'
import { dialects } from '../helpers/dialects.js'
import { bearer, onEachDatabase, startService } from '../helpers/with-service.js'

const mariadb = dialects.find(({ name }) => name === 'MariaDB')
const register = mariadb?.isAvailable ? test : test.skip

register(
  'MariaDB: a lock that is held and a connection that is cut leave nothing half',
  async (t) => {
    if (!mariadb) throw new Error('There is no MariaDB')
    const service = await startService(mariadb, { DATABASE_QUERY_TIMEOUT_MS: '3000' })
    const other = await mysql.createConnection(service.databaseUrl)
    try {
      const user = await service.createUser('ada')
      const { headers } = await service.logIn('ada')
      const path = `/wp/v2/key-pair/${user.id}`
      const mint = () => service.json(path, { headers, json: { name: 'Injected' } })
      const listed = async () => (await service.json(path, { headers })).body.length as number
      t.is((await mint()).status, 200)

      // Minting locks its user's row; somebody else has it.
      await other.query('begin')
      await other.query('select id from users where id = ? for update', [user.id])
      const waiting = await mint()
      t.is(waiting.status, 503, JSON.stringify(waiting.body))
      t.is(waiting.headers.get('Retry-After'), '2')

      const cut = mint()
      const killer = await mysql.createConnection(service.databaseUrl)
      let killed = 0
      for (let attempt = 0; attempt < 100 && killed === 0; attempt++) {
        const [rows] = await killer.query<any[]>(
          "select id from information_schema.processlist where db = database() and command <> 'Sleep' and id <> connection_id()",
        )
        for (const { id } of rows) {
          await killer.query(`kill connection ${id}`).catch(() => undefined)
          killed++
        }
        await delay(5)
      }
      await killer.end()
      t.true(killed > 0, 'there was a transaction to cut')
      t.is((await cut).status, 503)
      await other.query('rollback')

      t.is(await listed(), 1)
      t.is((await mint()).status, 200)
      t.is(await listed(), 2)
      const [[pairs]] = await other.query<any[]>('select count(*) as rows_found from key_pairs')
      t.is(pairs.rows_found, 2)
      t.notRegex(service.log(), /"level":60|rest_internal_error/)
    } finally {
      await other.end()
      await service.close()
    }
  },
)

onEachDatabase(
  'a clock that jumps an hour revives nothing and locks nobody out for good',
  async (t, service) => {
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    const { access_token } = await service.exchange(pair)
    const dead = await service.mint(user.id)
    const deadToken = (await service.exchange(dead)).access_token
    const { headers } = await service.logIn('ada')
    const path = `/wp/v2/key-pair/${user.id}`
    t.is(
      (await service.json(`${path}/${dead.api_key}/revoke`, { method: 'DELETE', headers })).status,
      200,
    )
    const check = async (token: string) =>
      (await service.json('/wp/v2/users/me', { headers: bearer(token) })).status

    service.advance(3600)
    t.is(await check(access_token), 200)
    t.is(await check(deadToken), 403)
    const ahead = (await service.exchange(pair)).access_token
    t.is(await check(ahead), 200)

    service.advance(-7200)
    t.is(await check(deadToken), 403)
    t.is(await check(ahead), 403, 'it is not valid yet')
    t.is((await service.json('/wp/v2/token', { fields: { ...dead } })).status, 403)
    const behind = (await service.exchange(pair)).access_token
    t.is(await check(behind), 200)

    service.advance(3600)
    for (const token of [access_token, behind]) t.is(await check(token), 200)
    t.is(await check(deadToken), 403)
    t.notRegex(service.log(), /"level":[56]0/)
  },
)

/** 5,000 by `SURVIVAL_IDLE=5000`; both ends of each are open files of this process. */
const idleCount = Number(process.env.SURVIVAL_IDLE ?? 1000)
const activeCount = Number(process.env.SURVIVAL_ACTIVE ?? 200)

onEachDatabase(
  'idle connections by the thousand do not keep the active ones from being served',
  async (t, service) => {
    t.timeout(120_000)
    const user = await service.createUser('ada')
    const { access_token } = await service.exchange(await service.mint(user.id))
    const { hostname, port } = new URL(service.url)
    const idle: Socket[] = []
    try {
      for (let made = 0; made < idleCount; made += 100) {
        const batch = Array.from({ length: 100 }, () => connectTo(Number(port), hostname))
        idle.push(...(await Promise.all(batch)))
      }
      const statuses = await Promise.all(
        Array.from({ length: activeCount }, async () => {
          const own = []
          for (let i = 0; i < 3; i++) {
            own.push(
              (await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).status,
            )
          }
          return own
        }),
      )
      t.deepEqual([...new Set(statuses.flat())], [200])
      t.true(idle.length >= idleCount)
    } finally {
      for (const socket of idle) socket.destroy()
    }
  },
)

function connectTo(port: number, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket))
    socket.once('error', reject)
  })
}
