import type { ExecutionContext } from 'ava'
import Database from 'better-sqlite3'
import mysql from 'mysql2/promise'
import pino from 'pino'
import { loadConfig } from '../../src/config.js'
import { createRuntime } from '../../src/runtime.js'
import { onEachDatabase, type Pair, passwordOf, type Service } from '../helpers/with-service.js'

const wrongSecret = `twk_${'a'.repeat(46)}`
const from = (address: string) => ({ 'X-Forwarded-For': address })
const basic = ({ api_key, api_secret }: Pair) => ({
  Authorization: `Basic ${Buffer.from(`${api_key}:${api_secret}`).toString('base64')}`,
})

async function newPair(service: Service, login = 'ada'): Promise<Pair> {
  return service.mint((await service.createUser(login)).id)
}

/** The statuses of so many exchanges, one after another. */
async function statuses(
  service: Service,
  count: number,
  pair: Pair,
  headers: Record<string, string> = {},
): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) {
    found.push((await service.json('/wp/v2/token', { fields: { ...pair }, headers })).status)
  }
  return found
}

function assertRefused(
  t: ExecutionContext,
  answer: { status: number; headers: Headers },
  policy: string,
  quota: string,
): void {
  t.is(answer.status, 429)
  const wait = Number(answer.headers.get('Retry-After'))
  t.true(wait > 0 && wait <= 3600, String(wait))
  t.is(answer.headers.get('RateLimit-Policy'), `"${policy}";${quota}`)
  t.is(answer.headers.get('RateLimit'), `"${policy}";r=0;t=${wait}`)
  t.is(answer.headers.get('Cache-Control'), 'no-store')
  t.is(answer.headers.get('WWW-Authenticate'), null)
}

onEachDatabase(
  'a wrong secret too often is 429, and the right one is let in as ever',
  async (t, service) => {
    const pair = await newPair(service)
    const other = await newPair(service, 'bob')
    const { api_key } = pair
    t.deepEqual(
      await statuses(service, 5, { api_key, api_secret: wrongSecret }),
      [403, 403, 403, 429, 429],
    )
    const refused = await service.json('/wp/v2/token', {
      json: { api_key, api_secret: wrongSecret },
    })
    assertRefused(t, refused, 'exchange', 'q=3;w=3600')
    t.is(refused.body.code, 'rest_too_many_attempts')
    t.deepEqual(refused.body.data, { status: 429 })

    const oauth = await service.json('/oauth2/token', {
      fields: { grant_type: 'client_credentials' },
      headers: basic({ api_key, api_secret: wrongSecret }),
    })
    assertRefused(t, oauth, 'exchange', 'q=3;w=3600')
    t.is(oauth.body.error, 'temporarily_unavailable')
    for (const path of ['/oauth2/introspect', '/oauth2/revoke']) {
      const answer = await service.json(path, {
        fields: { token: 'x' },
        headers: basic({ api_key, api_secret: wrongSecret }),
      })
      assertRefused(t, answer, 'exchange', 'q=3;w=3600')
    }

    t.deepEqual(await statuses(service, 5, pair), [200, 200, 200, 200, 200])
    t.is((await service.json('/wp/v2/token', { json: pair })).status, 200)
    const granted = await service.json('/oauth2/token', {
      fields: { grant_type: 'client_credentials' },
      headers: basic(pair),
    })
    t.is(granted.status, 200)
    t.is(
      (await service.json('/login', { json: { user_login: 'ada', password: passwordOf('ada') } }))
        .status,
      200,
    )
    t.deepEqual(await statuses(service, 1, { ...other, api_secret: wrongSecret }), [403])

    // A key that does not exist is answered alike, so that nobody learns which do.
    const unknown = { api_key: `1${'x'.repeat(24)}`, api_secret: wrongSecret }
    t.deepEqual(await statuses(service, 5, unknown), [403, 403, 403, 429, 429])
  },
  { RATE_LIMIT_EXCHANGE: '3/1h' },
)

onEachDatabase(
  'an address that fails too often is 429, but for right key-pairs',
  async (t, service) => {
    const pair = await newPair(service)
    const guess = (i: number) => ({ api_key: `1${String(i).padStart(24, 'x')}`, api_secret: 'x' })
    async function guesses(addresses: readonly string[]): Promise<number[]> {
      const found: number[] = []
      for (const [i, address] of addresses.entries()) {
        found.push(...(await statuses(service, 1, guess(i), from(address))))
      }
      return found
    }
    // What the client itself wrote stands on the left of what our proxy has added.
    const claimed = [1, 2, 3, 4, 5].map((i) => `198.51.100.${i}, 203.0.113.7`)
    t.deepEqual(await guesses(claimed), [403, 403, 403, 429, 429])
    const refused = await service.json('/wp/v2/token', {
      fields: guess(9),
      headers: from('::ffff:203.0.113.7'),
    })
    assertRefused(t, refused, 'exchange-address', 'q=3;w=3600')
    t.deepEqual(await statuses(service, 4, pair, from('203.0.113.7')), [200, 200, 200, 200])
    t.deepEqual(await guesses(['203.0.113.8']), [403])

    // A subscriber of IPv6 has more addresses than anybody can count.
    const ours = [1, 2, 3, 4, 5].map((i) => `2001:db8:0:1::${i}`)
    t.deepEqual(await guesses(ours), [403, 403, 403, 429, 429])
    t.deepEqual(await guesses(['2001:db8:0:2::1']), [403])
    t.deepEqual(await statuses(service, 1, pair, from('2001:db8:0:1::1')), [200])
  },
  { RATE_LIMIT_EXCHANGE_ADDRESS: '3/1h', TRUST_PROXY: '1' },
)

onEachDatabase(
  'X-Forwarded-For makes nobody another address where no proxy is trusted',
  async (t, service) => {
    const unknown = { api_key: `1${'x'.repeat(24)}`, api_secret: wrongSecret }
    const found: number[] = []
    for (let i = 1; i <= 5; i++) {
      found.push(...(await statuses(service, 1, unknown, from(`198.51.100.${i}`))))
    }
    t.deepEqual(found, [403, 403, 403, 429, 429])
  },
  { RATE_LIMIT_EXCHANGE_ADDRESS: '3/1h' },
)

onEachDatabase(
  'guesses from many addresses lock a login’s password, not its key-pairs',
  async (t, service) => {
    const pair = await newPair(service)
    await service.createUser('grace')
    const { headers: session } = await service.logIn('grace')
    const attempt = (
      user_login: string,
      password: string,
      i: number,
      accept = 'application/json',
    ) =>
      service.fetch('/login', {
        method: 'POST',
        headers: { ...from(`198.51.100.${i}`), Accept: accept },
        body: new URLSearchParams({ user_login, password }),
      })
    for (let i = 1; i <= 3; i++) {
      const spelling = ['ada', 'ADA', 'ada@sample.org'][i - 1] ?? ''
      t.is((await attempt(spelling, 'wrong', i)).status, 401)
    }
    const locked = await attempt('ada', passwordOf('ada'), 9)
    assertRefused(t, locked, 'login', 'q=3;w=3600')
    t.is(((await locked.json()) as { code: string }).code, 'rest_too_many_attempts')
    const page = await attempt('ada', passwordOf('ada'), 9, 'text/html')
    assertRefused(t, page, 'login', 'q=3;w=3600')
    t.regex(await page.text(), /Too many failed attempts to log in\. Try again in \d+ minutes/)

    t.is((await attempt('grace', passwordOf('grace'), 9)).status, 200)
    t.deepEqual(await statuses(service, 3, pair), [200, 200, 200])
    const own = await service.json('/session', { headers: session })
    t.is(own.status, 200)

    for (let i = 1; i <= 3; i++) t.is((await attempt('nobody', 'wrong', i)).status, 401)
    t.is((await attempt('nobody', 'wrong', 9)).status, 429, 'nobody learns which logins exist')
  },
  { RATE_LIMIT_LOGIN: '3/1h', TRUST_PROXY: '1' },
)

onEachDatabase(
  'whoever guesses the password in a browser left open is stopped, and nobody else is',
  async (t, service) => {
    await service.createUser('ada')
    const { headers } = await service.logIn('ada')
    const change = (old_password: string) =>
      service.json('/wp/v2/users/me/password', {
        headers,
        json: { old_password, new_password: 'another-pass-1' },
      })
    for (let i = 0; i < 3; i++) t.is((await change('wrong')).status, 403)
    assertRefused(t, await change(passwordOf('ada')), 'login', 'q=3;w=3600')
    t.is((await service.logIn('ada')).user.login, 'ada')
  },
  { RATE_LIMIT_LOGIN: '3/1h' },
)

onEachDatabase(
  'questions about bad tokens are limited, those about good ones are not',
  async (t, service) => {
    const pair = await newPair(service)
    const { access_token } = await service.exchange(pair)
    const ask = (token: string) =>
      service.json('/oauth2/introspect', { fields: { token }, headers: basic(pair) })
    for (let i = 0; i < 3; i++) t.deepEqual((await ask(`guess ${i}`)).body, { active: false })
    const refused = await ask('one more')
    assertRefused(t, refused, 'introspection', 'q=3;w=3600')
    t.is(refused.body.error, 'temporarily_unavailable')
    for (let i = 0; i < 3; i++) t.true((await ask(access_token)).body.active)
  },
  { RATE_LIMIT_INTROSPECTION: '3/1h' },
)

onEachDatabase(
  'nodes of one database count together',
  async (t, service) => {
    const { api_key } = await newPair(service)
    const config = loadConfig({
      DATABASE_URL: service.databaseUrl,
      JWT_SECRET: 'another-secret-of-sufficient-length-1',
      RATE_LIMIT_EXCHANGE: '3/1h',
    })
    const logger = pino({ level: 'silent' })
    const node = await createRuntime(config, { logger, isShared: true })
    try {
      const there = () =>
        node.services.tokens
          .exchange(api_key, wrongSecret, { ip: '198.51.100.1' })
          .catch((error) => error.status)
      t.deepEqual(await statuses(service, 2, { api_key, api_secret: wrongSecret }), [403, 403])
      t.is(await there(), 403)
      t.is(await there(), 429)
      t.deepEqual(await statuses(service, 1, { api_key, api_secret: wrongSecret }), [429])
      const kept = JSON.stringify(await service.runtime.db('rate_limits'))
      t.false(kept.includes(api_key) || kept.includes('127.0.0.1'), 'nothing is kept in clear')
    } finally {
      await node.close()
    }
  },
  { RATE_LIMIT_EXCHANGE: '3/1h', RATE_LIMIT_STORE: 'database' },
)

onEachDatabase(
  'a flood costs no query of the limit, and neither does success',
  async (t, service) => {
    const pair = await newPair(service)
    const queries: string[] = []
    service.runtime.db.on('query', ({ sql }: { sql: string }) => {
      if (sql.includes('rate_limits')) queries.push(sql)
    })
    t.deepEqual(await statuses(service, 3, pair), [200, 200, 200])
    t.deepEqual(queries, [])
    const wrong = { ...pair, api_secret: wrongSecret }
    t.deepEqual(await statuses(service, 4, wrong), [403, 403, 403, 429])
    t.true(queries.length > 0)
    queries.length = 0
    t.deepEqual(new Set(await statuses(service, 20, wrong)), new Set([429]))
    t.deepEqual(await statuses(service, 3, pair), [200, 200, 200])
    t.deepEqual(queries, [])
  },
  {
    RATE_LIMIT_EXCHANGE: '100/1h',
    RATE_LIMIT_EXCHANGE_ADDRESS: '3/1h',
    RATE_LIMIT_STORE: 'database',
  },
)

/** Holds the counts, as somebody else's endless transaction would. @returns What lets go of them. */
async function lockCounts({ dialect, databaseUrl }: Service): Promise<() => Promise<void>> {
  if (dialect.name === 'SQLite') {
    const other = new Database(databaseUrl.replace('sqlite:', ''))
    other.exec('begin immediate')
    return async () => void other.close()
  }
  const connection = await mysql.createConnection(databaseUrl)
  await connection.query('lock tables rate_limits write')
  return () => connection.end()
}

onEachDatabase(
  'counts that cannot be read are 503: no guess passes, and no right key-pair waits',
  async (t, service) => {
    const pair = await newPair(service)
    const unlock = await lockCounts(service)
    try {
      const wrong = await service.json('/wp/v2/token', {
        fields: { ...pair, api_secret: wrongSecret },
      })
      t.is(wrong.status, 503)
      t.is(wrong.headers.get('Retry-After'), '2')
      t.is(wrong.body.code, 'rest_service_unavailable')
      for (const password of ['wrong', passwordOf('ada')]) {
        const login = await service.json('/login', { json: { user_login: 'ada', password } })
        t.is(login.status, 503)
      }
      t.deepEqual(await statuses(service, 2, pair), [200, 200])
    } finally {
      await unlock()
    }
    t.deepEqual(await statuses(service, 1, { ...pair, api_secret: wrongSecret }), [403])
    t.is((await service.logIn('ada')).user.login, 'ada')
  },
  { RATE_LIMIT_STORE: 'database', DATABASE_QUERY_TIMEOUT_MS: '3000' },
)

onEachDatabase(
  'limits that are off count nothing',
  async (t, service) => {
    const unknown = { api_key: `1${'x'.repeat(24)}`, api_secret: wrongSecret }
    t.deepEqual(new Set(await statuses(service, 30, unknown)), new Set([403]))
    t.deepEqual(await service.runtime.db('rate_limits'), [])
  },
  { RATE_LIMIT_EXCHANGE: '0', RATE_LIMIT_EXCHANGE_ADDRESS: 'off', RATE_LIMIT_STORE: 'database' },
)
