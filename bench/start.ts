/**
 * `npm run bench:start [-- --times 11]`
 *
 * From the start of the program, on a SQLite database that exists, to its first answer to a token:
 * milliseconds of wall clock and of CPU, and what other programs would see if they polled.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.js'
import { operator } from '../src/domain/actor.js'
import { generateSecret } from '../src/domain/signing-secret.js'
import { createRuntime } from '../src/runtime.js'
import { freePort } from '../test/helpers/mariadb-server.js'

const { values } = parseArgs({ options: { times: { type: 'string', default: '11' } } })
const wantedMs = 600
/** Clock ticks a second in /proc, as on every usual Linux. */
const ticksPerSecond = 100

const cli = fileURLToPath(new URL('../dist/src/cli/index.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'twinkey-start-'))
const port = await freePort()
const env = {
  DATABASE_URL: `sqlite:${join(folder, 'twinkey.sqlite')}`,
  DATA_DIR: folder,
  JWT_SECRET: generateSecret(),
  PUBLIC_URL: 'http://twinkey.example',
  PORT: String(port),
  LOG_LEVEL: 'warn',
}

async function makeToken(): Promise<string> {
  const config = loadConfig(env)
  const runtime = await createRuntime(config, { logger: console, migrate: true })
  const { users, keyPairs, tokens } = runtime.services
  const email = 'start@example.com'
  const user = await users.create({
    login: 'start',
    email,
    password: generateSecret(),
    role: 'subscriber',
  })
  const { keyPair, apiSecret } = await keyPairs.mint(operator, user.id, 'Start')
  const { accessToken } = await tokens.exchange(keyPair.apiKey, apiSecret, { ip: null })
  await runtime.close()
  return accessToken
}

async function measure(token: string): Promise<{ wall: number; cpu: number }> {
  const began = performance.now()
  const server = spawn(process.execPath, [cli, 'serve'], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  while ((await statusOf(token)) !== 200) await delay(2)
  const wall = performance.now() - began
  const cpu = cpuOf(server.pid)
  server.kill()
  await once(server, 'exit')
  return { wall, cpu }
}

async function statusOf(token: string): Promise<number | undefined> {
  const url = `http://127.0.0.1:${port}/wp/v2/token/validate`
  try {
    return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status
  } catch {
    // Nobody listens yet.
    return undefined
  }
}

function cpuOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

try {
  const token = await makeToken()
  const results = []
  for (let i = 0; i < Number(values.times); i++) results.push(await measure(token))
  const wall = median(results.map((result) => result.wall))
  const cpu = median(results.map((result) => result.cpu))
  console.log(`wall ${results.map((result) => Math.round(result.wall)).join(' ')}`)
  console.log(
    `median ${Math.round(wall)} ms, of which CPU ${Math.round(cpu)} ms; wanted ≤ ${wantedMs} ms: ${wall <= wantedMs ? 'yes' : 'NO'}`,
  )
} finally {
  rmSync(folder, { recursive: true })
}
