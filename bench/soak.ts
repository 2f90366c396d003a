/**
 * `npm run bench:soak [-- --minutes 5] [--tokens 100000]`
 *
 * The real server under 256 connections that send many distinct tokens, one after another, so that the
 * signature memory is always full and always changing. Prints the server's resident memory over time.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { SignJWT } from 'jose'
import { type Content, install } from './installation.js'
import { sendLoad } from './load.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '100000' },
  },
})
const minutes = Number(values.minutes)
const { installation, prepared: requests } = await install((content) =>
  makeRequests(Number(values.tokens), content),
)
const { port } = installation
const server = installation.start()
await waitUntilReady()
const handlesAtRest = openHandles()
const slice = 15
const rows: { seconds: number; 'req/s': number; 'RSS MB': number; handles: number }[] = []
let sent = 0
for (let second = 0; second < minutes * 60; second += slice) {
  const result = await sendLoad({ port, connections: 256, seconds: slice, requests })
  if (result.errors > 0 || result.refused > 0)
    throw new Error(`Not all answers were good: ${JSON.stringify(result)}`)
  sent += result.requests
  await connectionsClosed()
  rows.push({
    seconds: second + slice,
    'req/s': Math.round(result.rate),
    'RSS MB': residentMegabytes(),
    handles: openHandles(),
  })
}
console.table(rows)
console.log(`${sent} requests with ${requests.length} distinct tokens`)
assertFlat()
server.kill()
await once(server, 'exit')
installation.remove()

async function makeRequests(count: number, { runtime, user, keyPair }: Content) {
  const { jwtSecret, publicUrl } = runtime.config
  const secret = new TextEncoder().encode(jwtSecret)
  const made = []
  for (let i = 0; i < count; i++) {
    const claims = {
      data: {
        user: {
          id: user.id,
          type: 'wp_user',
          user_login: user.login,
          user_email: user.email,
          api_key: keyPair.apiKey,
        },
      },
    }
    const token = await new SignJWT(claims)
      .setProtectedHeader({ typ: 'JWT', alg: 'HS256' })
      .setIssuer(publicUrl)
      .setSubject(String(user.id))
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('1d')
      .setJti(randomUUID())
      .sign(secret)
    made.push({
      method: 'GET' as const,
      path: '/wp-json/wp/v2/token/validate',
      headers: { Authorization: `Bearer ${token}` },
    })
  }
  return made
}

async function waitUntilReady(): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/readyz`)).ok) return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error('The server did not start')
}

function openHandles(): number {
  return readdirSync(`/proc/${server.pid}/fd`).length
}

/** The load has hung up; its connections are open files until the server has heard of it. */
async function connectionsClosed(): Promise<void> {
  for (let attempt = 0; attempt < 100 && openHandles() > handlesAtRest + 20; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Fails if memory or handles still grow when the first third, in which memories fill up, is over. */
function assertFlat(): void {
  const settled = rows.slice(Math.floor(rows.length / 3))
  const half = Math.ceil(settled.length / 2)
  const most = (part: typeof rows, what: 'RSS MB' | 'handles') =>
    Math.max(...part.map((row) => row[what]))
  const [early, late] = [settled.slice(0, half), settled.slice(half)]
  if (late.length === 0) return
  const grew =
    most(late, 'RSS MB') > 1.25 * most(early, 'RSS MB') ||
    most(late, 'handles') > most(early, 'handles') + 20
  if (!grew) return
  console.error('Memory or handles kept growing.')
  process.exitCode = 1
}

function residentMegabytes(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000)
}
