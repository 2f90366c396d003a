import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import Database from 'better-sqlite3'
import mysql from 'mysql2/promise'
import { operator } from '../../src/domain/actor.js'
import { dialects } from '../helpers/dialects.js'
import { type MariadbServer, mariadbBinary, startMariadb } from '../helpers/mariadb-server.js'
import {
  bearer,
  type JsonInit,
  passwordOf,
  type Service,
  startService,
} from '../helpers/with-service.js'

/** The time-outs of the service under test, and what a loaded machine may add to them. */
const limit = 700
const slack = 6000
const timeouts = {
  DATABASE_CONNECT_TIMEOUT_MS: String(limit),
  DATABASE_ACQUIRE_TIMEOUT_MS: String(limit),
  DATABASE_QUERY_TIMEOUT_MS: String(limit),
}

interface World {
  server: MariadbServer
  service: Service
  /** Everything that asks the database, with the status it has while that answers. */
  requests: [path: string, init: JsonInit, status: number][]
  /** A pair that was alive, and one that was revoked, before anything went down. */
  revoked: { access_token: string; refresh_token: string; api_key: string; api_secret: string }
}

async function createWorld(): Promise<World> {
  const server = await startMariadb()
  const connection = await mysql.createConnection(server.url)
  await connection.query('create database twinkey')
  await connection.end()
  const service = await startService(
    {
      name: 'MariaDB',
      isAvailable: true,
      create: async () => ({ url: new URL('twinkey', server.url).href, remove: async () => {} }),
    },
    timeouts,
  )
  const user = await service.createUser('ada', 'administrator')
  const pair = await service.mint(user.id)
  const { access_token, refresh_token } = await service.exchange(pair)
  const dead = await service.mint(user.id)
  const revoked = { ...dead, ...(await service.exchange(dead)) }
  await service.runtime.services.keyPairs.revoke(operator, user.id, dead.api_key)
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  const requests: World['requests'] = [
    ['/wp/v2/token', { fields: { ...pair } }, 200],
    ['/wp/v2/token', { json: pair }, 200],
    ['/wp/v2/token', { fields: { refresh_token } }, 200],
    ['/wp/v2/token/validate', { headers: bearer(access_token) }, 200],
    ['/?rest_route=/wp/v2/token/validate', { headers: bearer(refresh_token) }, 200],
    ['/wp/v2/users/me', { headers: bearer(access_token) }, 200],
    ['/wp/v2/users', { headers }, 200],
    ['/login', { json: { user_login: 'ada', password: passwordOf('ada') } }, 200],
    ['/session', { headers }, 200],
    [path, { headers }, 200],
    [path, { headers, json: { name: 'Minted' } }, 200],
    [`${path}/${pair.api_key}`, { method: 'PATCH', headers, json: { name: 'Renamed' } }, 200],
    [`${path}/unknown/revoke`, { method: 'DELETE', headers }, 200],
    [
      '/wp/v2/users/me/password',
      { headers, json: { old_password: 'wrong', new_password: 'long enough' } },
      403,
    ],
  ]
  return { server, service, requests, revoked }
}

/** Sends everything at once. No answer may take much longer than the time-outs. */
async function askAll({ service, requests }: World) {
  return Promise.all(
    requests.map(async ([path, init, expected]) => {
      const start = performance.now()
      const answer = await Promise.race([
        service.json(path, init),
        delay(20_000, undefined, { ref: false }),
      ])
      const what = `${init.method ?? (init.json || init.fields ? 'POST' : 'GET')} ${path}`
      return { what, expected, answer, took: performance.now() - start }
    }),
  )
}

async function assertDown(t: ExecutionContext, world: World): Promise<void> {
  for (const { what, answer, took } of await askAll(world)) {
    t.is(answer?.status, 503, what)
    t.is(answer?.headers.get('Retry-After'), '2', what)
    t.deepEqual(answer?.body, {
      code: 'rest_service_unavailable',
      message: 'The service cannot reach its database. Try again shortly.',
      data: { status: 503 },
    })
    t.true(took < 2 * limit + slack, `${what} took ${took} ms`)
  }
  await assertRevoked(t, world)
  const { service } = world
  const readyz = await service.json('/readyz')
  t.is(readyz.status, 503)
  t.deepEqual(readyz.body, { status: 'unreachable' })
  t.is(readyz.headers.get('Retry-After'), '2')
  t.is((await service.json('/healthz')).status, 200)
  t.is((await service.json('/wp-json/')).status, 200, 'what needs no database works')
  t.is((await service.json('/wp/v2/token/validate', { headers: bearer('x') })).status, 403)
}

async function assertUp(t: ExecutionContext, world: World): Promise<void> {
  for (const { what, answer, expected } of await askAll(world)) {
    t.is(answer?.status, expected, `${what}: ${JSON.stringify(answer?.body)}`)
  }
  await assertRevoked(t, world)
  t.is((await world.service.json('/readyz')).status, 200)
}

/** Whatever the database does, what was revoked is refused: by 403, or by 503. */
async function assertRevoked(t: ExecutionContext, { service, revoked }: World): Promise<void> {
  const { access_token, refresh_token, api_key, api_secret } = revoked
  const answers = await Promise.all([
    service.json('/wp/v2/token/validate', { headers: bearer(access_token) }),
    service.json('/wp/v2/users/me', { headers: bearer(access_token) }),
    service.json('/wp/v2/token', { fields: { refresh_token } }),
    service.json('/wp/v2/token', { fields: { api_key, api_secret } }),
  ])
  for (const { status } of answers) t.true(status === 403 || status === 503)
}

/** Connections that were thrown away may take a moment to be replaced. */
async function untilReady({ service }: World): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await service.json('/readyz')).status === 200) return
    await delay(50)
  }
}

const register = mariadbBinary ? test.serial : test.skip
let world: World
if (mariadbBinary) {
  test.before('start a server of our own', async () => {
    world = await createWorld()
  })
  test.after.always('remove the server', async () => {
    world.server.signal('SIGCONT')
    await world.service.close()
    await world.server.remove()
  })
}

register('MariaDB: a server that is down is 503, and back without a restart', async (t) => {
  await assertUp(t, world)
  await world.server.stop()
  await assertDown(t, world)
  await assertDown(t, world)
  await world.server.start()
  await untilReady(world)
  await assertUp(t, world)
})

register('MariaDB: a server that hangs is 503 within the time-out', async (t) => {
  await assertUp(t, world)
  world.server.signal('SIGSTOP')
  await assertDown(t, world)
  await assertDown(t, world)
  world.server.signal('SIGCONT')
  await untilReady(world)
  await assertUp(t, world)
})

register('MariaDB: transactions that hang in the middle hold nothing', async (t) => {
  const { server, service } = world
  const [path, init] = world.requests.find(([, { json }]) => (json as any)?.name === 'Minted') ?? []
  const listed = async () =>
    (await service.json(String(path), { headers: init?.headers ?? {} })).body.length
  const before = await listed()
  const mints = Array.from({ length: 40 }, async () => {
    const start = performance.now()
    const answer = await Promise.race([
      service.json(String(path), init),
      delay(20_000, undefined, { ref: false }),
    ])
    return { status: answer?.status, took: performance.now() - start }
  })
  await delay(15)
  server.signal('SIGSTOP')
  const answers = await Promise.all(mints)
  server.signal('SIGCONT')
  await untilReady(world)
  for (const { status, took } of answers) {
    t.true(status === 200 || status === 503, `${status}`)
    t.true(took < 2 * limit + slack, `took ${took} ms`)
  }
  const minted = answers.filter(({ status }) => status === 200).length
  t.true((await listed()) >= before + minted, 'every answered mint exists')
  await assertUp(t, world)
})

register('MariaDB: connections that the server closes are replaced', async (t) => {
  const connection = await mysql.createConnection(world.server.url)
  const kill = async () => {
    const [rows] = await connection.query<any[]>(
      "select id from information_schema.processlist where db = 'twinkey'",
    )
    for (const { id } of rows) await connection.query(`kill ${id}`)
    return rows.length
  }
  await assertUp(t, world)
  t.true((await kill()) > 0)
  await untilReady(world)
  await assertUp(t, world)
  await connection.end()
})

register('MariaDB: none of this has put a secret into the log', (t) => {
  const { service, revoked, requests } = world
  for (const secret of [revoked.api_secret, revoked.refresh_token, passwordOf('ada')]) {
    t.false(service.log().includes(secret))
  }
  t.true(requests.length > 0 && service.log().includes('The service cannot reach its database'))
})

test('SQLite: while another process writes for long, writes are 503 and checks go on', async (t) => {
  const [sqlite] = dialects
  const service = await startService(sqlite as (typeof dialects)[number])
  const user = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const { access_token } = await service.exchange(await service.mint(user.id))
  const path = `/wp/v2/key-pair/${user.id}`
  const other = new Database(service.databaseUrl.replace('sqlite:', ''))
  try {
    other.exec('begin immediate')
    const start = performance.now()
    let isAnswered = false
    const refused = service.json(path, { headers, json: { name: 'Too late' } }).finally(() => {
      isAnswered = true
    })
    let slowest = 0
    while (!isAnswered) {
      const before = performance.now()
      const check = await service.json('/wp/v2/users/me', { headers: bearer(access_token) })
      t.is(check.status, 200)
      slowest = Math.max(slowest, performance.now() - before)
      await delay(20)
    }
    const { status, body, headers: answer } = await refused
    t.is(status, 503)
    t.is(body.code, 'rest_service_unavailable')
    t.is(answer.get('Retry-After'), '2')
    t.true(performance.now() - start < 30_000)
    t.true(slowest < 2000, `a check took ${slowest} ms: SQLite slept in our thread`)

    // Who has to wait less than that is served.
    const waiting = service.json(path, { headers, json: { name: 'In time' } })
    await delay(300)
    other.exec('rollback')
    t.is((await waiting).status, 200)
    const { body: rows } = await service.json(path, { headers })
    t.deepEqual(
      rows.map((row: any) => row.name),
      ['In time', 'Test'],
    )
  } finally {
    other.close()
    await service.close()
  }
})
