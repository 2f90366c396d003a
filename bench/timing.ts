/**
 * `npm run timing [-- --tries 2000] [--only exchange]`
 *
 * Whether the time of an answer tells which API keys and which logins exist. Asks a real server, on a
 * database of its own, by turns for what exists with a wrong secret and for what does not exist, and
 * prints the medians. Ends with 1 if they are further apart than 5 %.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.js'
import { operator } from '../src/domain/actor.js'
import { generateApiKey, generateApiSecret } from '../src/domain/key-pair.js'
import { generatePassword } from '../src/domain/password.js'
import { generateSecret } from '../src/domain/signing-secret.js'
import { createRuntime } from '../src/runtime.js'

const wantedPercent = 5

const { values } = parseArgs({
  options: { tries: { type: 'string', default: '2000' }, only: { type: 'string', default: '' } },
})
const tries = Number(values.tries)
const folder = mkdtempSync(join(tmpdir(), 'twinkey-timing-'))
const runtime = await createRuntime(
  loadConfig({
    DATABASE_URL: `sqlite:${join(folder, 'twinkey.sqlite')}`,
    DATA_DIR: folder,
    JWT_SECRET: generateSecret(),
    // Whatever fails is to be answered, not refused for its number.
    RATE_LIMIT_LOGIN: '0',
    RATE_LIMIT_LOGIN_ADDRESS: '0',
    RATE_LIMIT_EXCHANGE: '0',
    RATE_LIMIT_EXCHANGE_ADDRESS: '0',
  }),
  { logger: { debug() {}, info() {}, warn() {}, error() {} }, migrate: true },
)
const server = createServer(runtime.listener)
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

const { users, keyPairs } = runtime.services
const user = await users.create({
  login: 'ada',
  email: 'ada@sample.org',
  password: generatePassword(),
  role: 'subscriber',
})
const { keyPair } = await keyPairs.mint(operator, user.id, 'Timing')

interface Case {
  path: string
  status: number
  /** Fields of a request about what exists, and of one about what does not. */
  known(): Record<string, string>
  unknown(): Record<string, string>
}

const cases: Record<string, Case> = {
  'exchange: unknown key, wrong secret': {
    path: '/wp/v2/token',
    status: 403,
    known: () => ({ api_key: keyPair.apiKey, api_secret: generateApiSecret() }),
    unknown: () => ({ api_key: generateApiKey(user.id), api_secret: generateApiSecret() }),
  },
  'log-in: unknown login, wrong password': {
    path: '/login',
    status: 401,
    known: () => ({ user_login: 'ada', password: generatePassword() }),
    unknown: () => ({ user_login: 'eve', password: generatePassword() }),
  },
}

/** @returns Milliseconds until the whole answer was there. */
function ask(path: string, fields: Record<string, string>, status: number): Promise<number> {
  const body = new URLSearchParams(fields).toString()
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const sent = request(
      {
        port,
        path,
        agent,
        method: 'POST',
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': String(body.length),
        },
      },
      (response) => {
        response.resume()
        response.once('end', () => {
          const took = performance.now() - start
          if (response.statusCode === status) resolve(took)
          else reject(new Error(`${path} was answered ${response.statusCode}, not ${status}`))
        })
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

let isUniform = true
try {
  const rows: Record<string, object> = {}
  for (const [name, { path, status, known, unknown }] of Object.entries(cases)) {
    if (!name.includes(values.only)) continue
    const times = { known: [] as number[], unknown: [] as number[] }
    const warmUp = Math.min(100, tries)
    for (let i = -warmUp; i < tries; i++) {
      // By turns also in who comes first.
      const order = i % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
      for (const which of order) {
        const took = await ask(path, which === 'known' ? known() : unknown(), status)
        if (i >= 0) times[which].push(took)
      }
    }
    const [wrong, absent] = [median(times.known), median(times.unknown)]
    const percent = (100 * Math.abs(wrong - absent)) / Math.min(wrong, absent)
    if (!(percent <= wantedPercent)) isUniform = false
    rows[name] = {
      'exists, ms': wrong.toFixed(3),
      'does not, ms': absent.toFixed(3),
      'apart, %': percent.toFixed(1),
    }
  }
  console.table(rows)
} finally {
  agent.destroy()
  server.close()
  await runtime.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = isUniform ? 0 : 1
