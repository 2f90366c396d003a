import type { Database } from './scenarios.js'

/** One measured row: medians over the rounds. */
export interface Row {
  name: string
  connections: number
  rate: number
  p50: number
  p99: number
  cpu: number
  rss: number
  queries: number
}

export interface Verdict {
  target: string
  wanted: string
  got: string
  met: boolean
}

type Find = (name: string, connections: number) => Row | undefined

/** The ratios that the project aims for, each between rows of the same run. */
export function judge(rows: readonly Row[]): Verdict[] {
  const find: Find = (name, connections) =>
    rows.find((row) => row.name === name && row.connections === connections)
  return (['SQLite', 'MariaDB'] as const).flatMap((database) => judgeDatabase(database, find))
}

function judgeDatabase(database: Database, find: Find): Verdict[] {
  const isSqlite = database === 'SQLite'
  const ours = (what: string, connections: number) => find(`${database}: ${what}`, connections)
  const verdicts: Verdict[] = []

  function ratio(
    target: string,
    wanted: number,
    row: Row | undefined,
    base: Row | undefined,
  ): void {
    if (!row || !base) return
    const value = row.rate / base.rate
    verdicts.push({
      target: `${database}: ${target}`,
      wanted: `≥ ${wanted} ×`,
      got: `${value.toFixed(2)} ×`,
      met: value >= wanted,
    })
  }
  function limit(target: string, unit: string, wanted: number, value: number | undefined): void {
    if (value === undefined) return
    verdicts.push({
      target: `${database}: ${target}`,
      wanted: `≤ ${wanted.toFixed(2)} ${unit}`,
      got: `${value.toFixed(3)} ${unit}`,
      met: value <= wanted,
    })
  }

  const bare = 'Koa + router'
  const validate32 = ours('validate', 32)
  const bare32 = find(bare, 32)
  ratio('validate / Koa + router, 32', isSqlite ? 1.9 : 1.6, validate32, bare32)
  if (validate32 && bare32) limit('validate, 32: p99', 'ms', bare32.p99, validate32.p99)
  ratio('validate / Koa + router, 256', isSqlite ? 2 : 1.8, ours('validate', 256), find(bare, 256))
  ratio(
    'validate / node:http, 256',
    isSqlite ? 0.85 : 0.7,
    ours('validate', 256),
    find('node:http', 256),
  )
  const [one, bareOne] = [ours('validate', 1), find(bare, 1)]
  if (one && bareOne) {
    limit('validate, 1: added p50', 'ms', isSqlite ? 0.12 : 0.35, one.p50 - bareOne.p50)
  }
  const exchange = ours('exchange, urlencoded', 32)
  ratio('exchange / oidc-provider', 2, exchange, find('oidc-provider: client_credentials, JWT', 32))
  ratio('exchange / koa-body echo', 0.7, exchange, find('Koa + koa-body echo, urlencoded', 32))
  ratio('forward-auth / validate, 32', 0.95, ours('forward-auth', 32), validate32)
  ratio('exchange, ES256 / HS256', 0.6, ours('exchange, ES256', 32), exchange)
  for (const what of ['validate', 'exchange']) {
    const thousand = ours(`${what}, 1,000 keys`, 32)
    for (const size of ['1,000,000', '10,000,000']) {
      ratio(
        `${what}, ${size} / 1,000 pairs`,
        0.9,
        ours(`${what}, 1,000 keys of ${size}`, 32),
        thousand,
      )
    }
  }
  ratio(
    'validate, user with 10,000 pairs / 1',
    0.9,
    ours('validate, user with 10,000 pairs', 32),
    validate32,
  )
  ratio(
    'exchange, user with 10,000 pairs / 1',
    0.9,
    ours('exchange, user with 10,000 pairs', 32),
    exchange,
  )
  for (const of of ['', ' of 10,000,000']) {
    const page = ours(`profile page, 10,000${of} pairs`, 1)
    limit(`profile page, user with 10,000${of} pairs`, 'ms', 200, page?.p50)
  }
  limit('validate, 256: queries a request', '', 0.05, ours('validate', 256)?.queries)
  return verdicts
}
