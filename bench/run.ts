/**
 * `npm run bench [-- --json] [--rounds 5] [--seconds 3] [--only TEXT] [--large]`
 *
 * `--only` takes a part of a row's name, or all of it with `=` in front. `--large` adds the rows with
 * 10,000,000 key-pairs.
 *
 * Every row is measured in the same run, in turn, round after round, so that a noisy moment hits all
 * alike; what counts are ratios between rows. Load comes from a process of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import mysql from 'mysql2/promise'
import { mariadbBinary, startMariadb } from '../test/helpers/mariadb-server.js'
import { type LoadRequest, loader, sendLoad } from './load.js'
import { type Scenario, type ServerSpec, scenarios } from './scenarios.js'
import { type ServerProcess, startServer } from './server-process.js'
import { judge, type Row } from './targets.js'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true, default: [] },
    large: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const folder = mkdtempSync(join(tmpdir(), 'twinkey-bench-'))
// The tables that are compared must all fit into memory, or it is disks that are compared.
const options = values.large ? ['--innodb-buffer-pool-size=4G', '--innodb-log-file-size=1G'] : []
const mariadb = mariadbBinary ? await startMariadb(options) : undefined
const say = (text: string) => values.json || console.error(text)
if (!mariadb) say('mariadbd is not installed: its rows are left out.')

const isNamed = (name: string) =>
  values.only.length === 0 ||
  values.only.some((part) => (part[0] === '=' ? part.slice(1) === name : name.includes(part)))
const chosen = scenarios.filter(
  ({ name, server, isLarge }) =>
    (server.database !== 'MariaDB' || mariadb) && (values.large || !isLarge) && isNamed(name),
)

const servers = new Map<string, Promise<ServerProcess>>()
let databases = 0

async function databaseUrl(spec: ServerSpec): Promise<string> {
  const name = `bench${databases++}`
  if (spec.database !== 'MariaDB' || !mariadb) return `sqlite:${join(folder, name)}`
  const connection = await mysql.createConnection(mariadb.url)
  await connection.query(`create database ${name}`)
  await connection.end()
  return new URL(name, mariadb.url).href
}

async function start(spec: ServerSpec): Promise<ServerProcess> {
  return startServer(spec, spec.database ? await databaseUrl(spec) : '')
}

interface Sample extends Omit<Row, 'name' | 'connections'> {
  refused: number
}

const samples = new Map<string, Sample[]>()

async function measure(scenario: Scenario, connections: number): Promise<void> {
  const id = JSON.stringify(scenario.server)
  if (!servers.has(id)) servers.set(id, start(scenario.server))
  const { info, stats } = await (servers.get(id) as Promise<ServerProcess>)
  const requests: LoadRequest[] = await scenario.requests(info)
  const load = { port: info.port, connections, requests }
  await sendLoad({ ...load, seconds: 1 })
  const before = await stats()
  const result = await sendLoad({ ...load, seconds })
  const after = await stats()
  if (result.errors > 0) throw new Error(`${scenario.name}: ${result.errors} requests broke`)
  const key = JSON.stringify([scenario.name, connections])
  const list = samples.get(key) ?? []
  samples.set(key, list)
  list.push({
    rate: result.rate,
    p50: result.p50,
    p99: result.p99,
    cpu: ((after.cpu - before.cpu) / result.requests) * 1000,
    rss: after.rss / 1e6,
    queries: (after.queries - before.queries) / result.requests,
    refused: result.refused / result.requests,
  })
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

try {
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`)
    for (const scenario of chosen) {
      for (const connections of scenario.connections) await measure(scenario, connections)
    }
  }
} finally {
  for (const running of servers.values()) (await running.catch(() => undefined))?.stop()
  await mariadb?.remove()
  rmSync(folder, { recursive: true, force: true })
}

const rows = [...samples].map(([key, list]) => {
  const [name, connections] = JSON.parse(key) as [string, number]
  const of = (field: keyof Sample) => median(list.map((sample) => sample[field]))
  const rates = list.map((sample) => sample.rate)
  return {
    name,
    connections,
    rate: of('rate'),
    spread: (Math.max(...rates) - Math.min(...rates)) / of('rate'),
    p50: of('p50'),
    p99: of('p99'),
    cpu: of('cpu'),
    rss: of('rss'),
    queries: of('queries'),
    refused: of('refused'),
  }
})
const verdicts = judge(rows)

if (values.json) {
  console.log(
    JSON.stringify({ node: process.version, loader, rounds, seconds, rows, verdicts }, null, 2),
  )
} else {
  console.log(
    `Node ${process.version}, load by ${loader}, ${rounds} rounds of ${seconds} s, medians\n`,
  )
  console.table(
    rows.map((row) => ({
      what: row.name,
      conns: row.connections,
      'req/s': Math.round(row.rate),
      '± %': Math.round(row.spread * 50),
      'p50 ms': Number(row.p50.toFixed(3)),
      'p99 ms': Number(row.p99.toFixed(2)),
      'CPU s/1k': Number(row.cpu.toFixed(3)),
      'RSS MB': Math.round(row.rss),
      'queries/req': Number(row.queries.toFixed(3)),
    })),
  )
  console.table(verdicts.map(({ met, ...verdict }) => ({ ...verdict, met: met ? 'yes' : 'NO' })))
}
