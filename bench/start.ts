/**
 * `npm run bench:start [-- --times 11]`
 *
 * From the start of the program, on a SQLite database that exists, to its first answer to a token:
 * milliseconds of wall clock and of CPU, and what other programs would see if they polled.
 */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { install } from './installation.js'
import { cpuSecondsOf } from './process-cpu.js'

const { values } = parseArgs({ options: { times: { type: 'string', default: '11' } } })
const wantedMs = 600

const { installation, prepared: token } = await install(async (content) => {
  const { runtime, keyPair, apiSecret } = content
  const issued = await runtime.services.tokens.exchange(keyPair.apiKey, apiSecret, { ip: null })
  return issued.accessToken
})

async function measure(): Promise<{ wall: number; cpu: number }> {
  const began = performance.now()
  const server = installation.start()
  while ((await statusOf()) !== 200) await delay(2)
  const wall = performance.now() - began
  const cpu = cpuSecondsOf(server.pid) * 1000
  server.kill()
  await once(server, 'exit')
  return { wall, cpu }
}

async function statusOf(): Promise<number | undefined> {
  const url = `http://127.0.0.1:${installation.port}/wp/v2/token/validate`
  try {
    return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status
  } catch {
    // Nobody listens yet.
    return undefined
  }
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

try {
  const results = []
  for (let i = 0; i < Number(values.times); i++) results.push(await measure())
  const wall = median(results.map((result) => result.wall))
  const cpu = median(results.map((result) => result.cpu))
  console.log(`wall ${results.map((result) => Math.round(result.wall)).join(' ')}`)
  console.log(
    `median ${Math.round(wall)} ms, of which CPU ${Math.round(cpu)} ms; wanted ≤ ${wantedMs} ms: ${wall <= wantedMs ? 'yes' : 'NO'}`,
  )
} finally {
  installation.remove()
}
