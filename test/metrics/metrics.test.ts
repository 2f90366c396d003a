import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { operator } from '../../src/domain/actor.js'
import { dialects } from '../helpers/dialects.js'
import { freePort } from '../helpers/mariadb-server.js'
import { spawnService } from '../helpers/spawn-service.js'
import { bearer, jwtSecret, passwordOf, startService } from '../helpers/with-service.js'
import { runCli } from '../cli/run-cli.js'

const token = 'made-up-metrics-token'

interface Scrape {
  status: number
  text: string
  /** The value of one line, e.g. `twinkey_usage_backlog` or `x{a="1"}`; 0 if there is none. */
  value(line: string): number
}

async function scrape(
  port: number,
  headers: Record<string, string> = bearer(token),
): Promise<Scrape> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers })
  const text = await response.text()
  const values = new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
  return { status: response.status, text, value: (line) => values.get(line) ?? 0 }
}

const requests = (surface: string, route: string, status: string) =>
  `twinkey_http_request_duration_seconds_count{surface="${surface}",route="${route}",status="${status}"}`
const refusals = (code: string, status: number) =>
  `twinkey_refusals_total{code="${code}",status="${status}"}`

/** An answer is counted when its last byte has been handed over, which its reader may be ahead of. */
async function scrapeUntil(port: number, line: string, least: number): Promise<Scrape> {
  for (let attempt = 0; ; attempt++) {
    const found = await scrape(port)
    if (found.value(line) >= least || attempt === 100) return found
    await delay(50)
  }
}

for (const dialect of dialects) {
  const register = dialect.isAvailable ? test : test.skip
  for (const workers of dialect.name === 'SQLite' ? [1, 2] : [1]) {
    register(
      `${dialect.name}: ${workers} process(es) count what was asked and answered`,
      async (t) => {
        t.timeout(120_000)
        const service = await startService(dialect)
        const port = await freePort()
        const env = {
          DATABASE_URL: service.databaseUrl,
          JWT_SECRET: jwtSecret,
          PUBLIC_URL: service.url,
          METRICS_PORT: String(port),
          METRICS_TOKEN: token,
        }
        const node = await spawnService(env, ['serve', '--workers', String(workers)])
        try {
          const user = await service.createUser('ada')
          const pair = await service.mint(user.id, 'A name nobody shall see')
          const { access_token, refresh_token } = await service.exchange(pair)
          const dead = await service.mint(user.id)
          const deadTokens = await service.exchange(dead)
          await service.runtime.services.keyPairs.revoke(operator, user.id, dead.api_key)

          const ask = async (path: string, headers: Record<string, string>, body?: object) => {
            const fields = body && new URLSearchParams(body as Record<string, string>)
            const response = await node.fetch(path, {
              method: fields ? 'POST' : 'GET',
              headers: { ...headers, Connection: 'close' },
              body: fields ?? null,
            })
            await response.arrayBuffer()
            return response.status
          }
          const validate = '/wp-json/wp/v2/token/validate'
          for (let i = 0; i < 12; i++) t.is(await ask(validate, bearer(access_token)), 200)
          for (let i = 0; i < 3; i++)
            t.is(await ask(validate, bearer(deadTokens.access_token)), 403)
          t.is(await ask('/wp/v2/token', {}, pair), 200)
          t.is(await ask('/wp/v2/token', {}, { ...pair, api_secret: 'wrong' }), 403)
          t.is(await ask(`/?rest_route=/wp/v2/token/validate`, bearer(refresh_token)), 200)
          t.is(await ask('/forward-auth?scope=', bearer('nonsense')), 401)
          t.is(await ask('/login', {}, { user_login: 'ada', password: passwordOf('ada') }), 200)
          t.is(await ask('/login', {}, { user_login: 'ada', password: 'a wrong one' }), 401)
          t.is(await ask('/wp-content/uploads/x.php', {}), 404)

          const { text, value } = await scrapeUntil(port, requests('other', 'other', '4xx'), 1)
          t.is(value(requests('wp', 'token/validate', '2xx')), 13)
          t.is(value(requests('wp', 'token/validate', '4xx')), 3)
          t.is(value(requests('wp', 'token', '2xx')), 1)
          t.is(value(requests('wp', 'token', '4xx')), 1)
          t.is(value(requests('forward-auth', 'forward-auth', '4xx')), 1)
          t.is(value(requests('session', 'login', '2xx')), 1)
          t.is(value(requests('other', 'other', '4xx')), 1)
          t.is(value(refusals('rest_authentication_revoked_api_key', 403)), 3)
          t.is(value(refusals('rest_authentication_invalid_api_key_secret', 403)), 1)
          t.is(value(refusals('rest_authentication_token_error', 403)), 1)
          t.is(value(refusals('rest_internal_error', 500)), 0)
          t.true(text.includes(refusals('rest_internal_error', 500)), 'also what never happened')

          const reads = value('twinkey_state_read_duration_seconds_count')
          t.true(reads >= 16 && reads <= 19, `${reads}`)
          t.is(value('twinkey_state_read_keys_bucket{le="+Inf"}'), reads)
          t.is(value('twinkey_state_read_failures_total'), 0)
          const age = value('twinkey_state_read_age_seconds')
          t.true(age > 0 && age < 120, `${age}`)
          const looked = ['hit', 'miss'].map((result) =>
            value(`twinkey_signature_memory_lookups_total{result="${result}"}`),
          )
          t.is((looked[0] ?? 0) + (looked[1] ?? 0), 17)
          t.true((looked[0] ?? 0) > 0)
          t.true(value('twinkey_signature_memory_entries') > 0)
          t.true(value('twinkey_database_connections_max') >= 1)
          t.true(value('nodejs_eventloop_lag_p99_seconds') > 0)
          t.true(value('process_resident_memory_bytes') > 1e7)
          t.regex(text, /^twinkey_build_info\{version="\d[^"]*",node="v\d+[^"]*"\} 1$/m)
          t.is(value('twinkey_workers'), workers > 1 ? workers : 0)

          const secrets = [pair, dead].flatMap(({ api_key, api_secret }) => [api_key, api_secret])
          secrets.push(access_token, refresh_token, deadTokens.refresh_token, jwtSecret, token)
          secrets.push(passwordOf('ada'), 'ada', '127.0.0.1', 'A name nobody')
          for (const secret of secrets) t.false(text.includes(secret), secret)

          t.is((await scrape(port, {})).status, 401)
          t.is((await scrape(port, bearer(`${token}x`))).status, 401)
          t.is(await ask('/metrics', bearer(token)), 404, 'they are not on the public port')
          const root = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: bearer(token) })
          t.is(root.status, 404)
        } finally {
          t.is(await node.stop(), 0, node.output())
          await service.close()
        }
      },
    )
  }
}

test('without METRICS_PORT nothing is served, and its port in use ends the start', async (t) => {
  const occupant = createServer().listen(0, '127.0.0.1')
  await once(occupant, 'listening')
  const { port } = occupant.address() as AddressInfo
  for (const args of [['serve'], ['serve', '--workers', '2']]) {
    const env = { PORT: String(await freePort()), METRICS_PORT: String(port), LOG_LEVEL: 'warn' }
    const { code, stdout, stderr } = await runCli(args, { env })
    t.deepEqual([code, stdout], [1, ''], stderr)
    t.is(
      stderr,
      `twinkey: Port ${port} of 127.0.0.1 is in use. Stop the program that uses it, or set METRICS_PORT.\n`,
    )
  }
  occupant.close()
})
