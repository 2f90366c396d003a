/**
 * `npm run bench:scaling [-- --seconds 6]`
 *
 * What checks cost the database as their number grows: one node, one MariaDB server, one table. First so many
 * requests a second that know nothing of one another, then connections that ask as fast as they are
 * answered. The statements are all that the server counted: the node's own, too, but for its signs of life.
 */
import { parseArgs } from 'node:util'
import mysql, { type RowDataPacket } from 'mysql2/promise'
import { startMariadb } from '../test/helpers/mariadb-server.js'
import { type LoadRequest, loader, runLoader, sendLoad } from './load.js'
import type { OpenLoad, OpenLoadResult } from './open-load.js'
import { cpuSecondsOf } from './process-cpu.js'
import { startServer } from './server-process.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '6' } } })
const seconds = Number(values.seconds)

const mariadb = await startMariadb()
const database = await mysql.createConnection(mariadb.url)
await database.query('create database scaling')
const url = new URL('scaling', mariadb.url).href
const node = await startServer(
  { module: 'twinkey', seed: { keyPairs: 1000, used: 1 }, database: 'MariaDB' },
  url,
)
const request: LoadRequest = {
  method: 'GET',
  path: '/wp-json/wp/v2/token/validate',
  headers: { Authorization: `Bearer ${node.info.tokens?.[0]}` },
}

interface Counts {
  statements: number
  /** Seconds of CPU. */
  databaseCpu: number
  nodeCpu: number
  at: number
}

async function count(): Promise<Counts> {
  const [rows] = await database.query<RowDataPacket[]>("show global status like 'Questions'")
  return {
    statements: Number(rows[0]?.Value),
    databaseCpu: cpuSecondsOf(mariadb.pid()),
    nodeCpu: (await node.stats()).cpu,
    at: performance.now(),
  }
}

async function measure(
  load: string,
  send: () => Promise<{ requests: number; p50: number; p99: number }>,
): Promise<void> {
  const before = await count()
  const { requests, p50, p99 } = await send()
  const after = await count()
  const elapsed = (after.at - before.at) / 1000
  // Our own questions about the state of the server are not the node's.
  const statements = after.statements - before.statements - 1
  rows.push({
    load,
    'requests/s': Math.round(requests / elapsed),
    'statements/s': Math.round(statements / elapsed),
    'a request': Number((statements / requests).toFixed(3)),
    'database CPU ms / 1,000': round(((after.databaseCpu - before.databaseCpu) / requests) * 1e6),
    'node CPU ms / 1,000': round(((after.nodeCpu - before.nodeCpu) / requests) * 1e6),
    'p50 ms': Number(p50.toFixed(2)),
    'p99 ms': Number(p99.toFixed(2)),
  })
}

const rows: Record<string, string | number>[] = []
const round = (value: number) => Number(value.toPrecision(2))

try {
  await sendLoad({ port: node.info.port, connections: 32, seconds: 2, requests: [request] })
  for (const rate of [1, 10, 100, 1000, 3000, 10_000]) {
    const load = {
      port: node.info.port,
      rate,
      seconds: rate < 100 ? 2 * seconds : seconds,
      request,
    }
    await measure(`${rate.toLocaleString('en')} requests/s`, () => sendElsewhere(load))
  }
  for (const connections of [1, 4, 32, 256]) {
    const load = { port: node.info.port, connections, seconds, requests: [request] }
    await measure(`${connections} connections, as fast as it goes`, () => sendLoad(load))
  }
  console.log(`Node ${process.version}, ${loader} for the last rows, ${seconds} s each\n`)
  console.table(rows)
} finally {
  node.stop()
  await database.end()
  await mariadb.remove()
}

/** From a process of its own, as all load. */
async function sendElsewhere(load: OpenLoad): Promise<OpenLoadResult> {
  const path = new URL('./open-load.ts', import.meta.url).href
  const program = `
    import { readFileSync } from 'node:fs'
    import { sendOpenLoad } from ${JSON.stringify(path)}
    const result = await sendOpenLoad(JSON.parse(readFileSync(0, 'utf8')))
    console.log('RESULT ' + JSON.stringify(result))`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program]
  const result = (await runLoader(args, load)) as OpenLoadResult
  if (result.refused > 0) throw new Error(`${result.refused} requests were refused`)
  return result
}
