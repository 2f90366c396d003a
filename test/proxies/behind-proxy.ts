import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { operator } from '../../src/domain/actor.js'
import { dialects } from '../helpers/dialects.js'
import { freePort } from '../helpers/mariadb-server.js'
import { sendPlain } from '../helpers/raw-request.js'
import { bearer, type Service, startService } from '../helpers/with-service.js'

/** A proxy's program, and how an example's configuration becomes a running one. */
export interface Proxy {
  name: string
  binary: string | undefined
  /** Below examples/; the first is the configuration, the others lie beside it. */
  files: readonly [string, ...string[]]
  /** For what the program needs beside the example, e.g. where its own files go. */
  adapt?(config: string, folder: string): string
  args(config: string, folder: string): string[]
}

export interface Stack {
  service: Service
  /** Where the proxy listens. */
  url: string
  /** What the API behind it was sent so far. */
  received: IncomingHttpHeaders[]
}

interface RunningProxy {
  url: string
  stop(): Promise<void>
}

const examples = new URL('../../examples/', import.meta.url)
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts an example as it stands, but for its ports, in a folder of its own. */
async function startProxy(
  proxy: Proxy,
  ports: { twinkey: number; api: number },
  edit: (config: string) => string,
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-proxy-'))
  const port = await freePort()
  const paths = proxy.files.map((file) => {
    const text = readFileSync(new URL(file, examples), 'utf8')
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${ports.twinkey}`)
      .replaceAll('127.0.0.1:9000', `127.0.0.1:${ports.api}`)
      .replace(/(listen |bind :|^:)8000/gm, `$1${port}`)
    const path = join(folder, file.split('/').at(-1) ?? '')
    writeFileSync(path, proxy.adapt ? proxy.adapt(edit(text), folder) : edit(text))
    return path
  })
  const child = spawn(proxy.binary as string, proxy.args(paths[0] ?? '', folder), {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  })
  running.add(child)
  let output = ''
  for (const channel of [child.stdout, child.stderr]) {
    channel?.on('data', (chunk: Buffer) => {
      output += chunk
    })
  }
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    await exited
    clearTimeout(timer)
    running.delete(child)
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; !(await isListening(url)); attempt++) {
    if (attempt === 200 || child.exitCode !== null) {
      await stop()
      throw new Error(`${proxy.name} did not start:\n${output}`)
    }
    await delay(50)
  }
  return { url, stop }
}

async function isListening(url: string): Promise<boolean> {
  try {
    await sendPlain(url, '/')
    return true
  } catch {
    // Nobody listens there yet.
    return false
  }
}

/** Registers the tests that every proxy has to pass, and skips them where it is not installed. */
export function testProxy(proxy: Proxy): void {
  const register = proxy.binary ? test.serial : test.skip

  async function inFront(
    implementation: (stack: Stack) => Promise<void>,
    edit: (config: string) => string = (config) => config,
  ): Promise<void> {
    const [sqlite] = dialects
    if (!sqlite) throw new Error('There is no database to test on')
    const service = await startService(sqlite, {
      TRUST_PROXY: '1',
      KEY_PAIR_SCOPES: 'read=Read everything;write=Change things',
    })
    const received: IncomingHttpHeaders[] = []
    const api = createServer((request, response) => {
      received.push(request.headers)
      response.end(JSON.stringify({ path: request.url, method: request.method }))
    })
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    let running: RunningProxy | undefined
    try {
      const ports = {
        twinkey: Number(new URL(service.url).port),
        api: (api.address() as AddressInfo).port,
      }
      running = await startProxy(proxy, ports, edit)
      await implementation({ service, url: running.url, received })
    } finally {
      await running?.stop()
      api.close()
      api.closeAllConnections()
      await service.close()
    }
  }

  register(`${proxy.name}: a good token gets through, with who it is of`, (t) =>
    inFront(async ({ service, url, received }) => {
      const { user, pair, token } = await client(service)
      const answer = await sendPlain(url, '/orders/7?x=1', {
        method: 'DELETE',
        headers: bearer(token),
      })
      t.is(answer.status, 200, answer.text)
      t.deepEqual(JSON.parse(answer.text), { path: '/orders/7?x=1', method: 'DELETE' })
      const body = 'x'.repeat(20_000)
      const posted = await sendPlain(url, '/orders', {
        method: 'POST',
        headers: { ...bearer(token), 'Content-Length': String(body.length) },
        body,
      })
      t.is(posted.status, 200)
      t.is(received.length, 2)
      for (const headers of received) {
        t.like(headers, {
          'x-auth-user-id': String(user.id),
          'x-auth-user-login': 'ada',
          'x-auth-api-key': pair.api_key,
          'x-auth-scopes': 'read write',
        })
      }
    }),
  )

  register(`${proxy.name}: without a good token nothing reaches the API`, (t) =>
    inFront(async ({ service, url, received }) => {
      const { token } = await client(service)
      for (const headers of [
        {},
        bearer('x.y.z'),
        bearer(`${token}x`),
        { Authorization: 'Basic eDp5' },
      ]) {
        const answer = await sendPlain(url, '/orders', {
          headers: headers as Record<string, string>,
        })
        t.is(answer.status, 401, JSON.stringify(headers))
        t.regex(challengeOf(answer), /^Bearer realm=/)
      }
      t.deepEqual(received, [])
    }),
  )

  register(`${proxy.name}: what a client says of itself does not get through`, (t) =>
    inFront(async ({ service, url, received }) => {
      const { user, token } = await client(service)
      const spoofed = {
        'X-Auth-User-Id': '1000001',
        'x-auth-user-login': 'admin',
        'X-AUTH-API-KEY': 'stolen',
        'X-Auth-Scopes': 'admin',
        X_Auth_User_Id: '1000001',
        'X-Auth_User-Login': 'admin',
        'X_Auth-Scopes': 'admin',
        'X-Auth-User_Id': '1000001',
      }
      t.is((await sendPlain(url, '/', { headers: spoofed })).status, 401)
      t.deepEqual(received, [])
      const answer = await sendPlain(url, '/', { headers: { ...spoofed, ...bearer(token) } })
      t.is(answer.status, 200)
      const [headers = {}] = received
      t.is(headers['x-auth-user-id'], String(user.id))
      t.is(headers['x-auth-user-login'], 'ada')
      t.notRegex(JSON.stringify(headers), /1000001|stolen|: ?"admin"/)
    }),
  )

  register(`${proxy.name}: a revocation holds in the middle of a stream of requests`, (t) =>
    inFront(async ({ service, url, received }) => {
      const { user, pair, token } = await client(service)
      let isRevoked = false
      let late = 0
      const counts = { 200: 0, 401: 0 } as Record<number, number>
      const stream = async () => {
        while (late < 60) {
          const startedLate = isRevoked
          const { status } = await sendPlain(url, '/', { headers: bearer(token) })
          counts[status] = (counts[status] ?? 0) + 1
          if (!startedLate) continue
          late++
          if (status !== 401) throw new Error(`${status} after the revocation was answered`)
        }
      }
      const streams = Promise.all(Array.from({ length: 4 }, stream))
      while ((counts[200] ?? 0) < 40) await delay(5)
      await service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key)
      isRevoked = true
      await streams
      t.deepEqual(Object.keys(counts), ['200', '401'])
      t.is(received.length, counts[200] ?? 0)
    }),
  )

  register(`${proxy.name}: a scope that is missing is 403, with what is needed`, (t) =>
    inFront(
      async ({ service, url, received }) => {
        const reader = await client(service, { scopes: ['read'] })
        const refused = await sendPlain(url, '/', { headers: bearer(reader.token) })
        t.is(refused.status, 403)
        t.regex(challengeOf(refused), /error="insufficient_scope".*scope="write"/)
        t.deepEqual(received, [])
        const writer = await client(service, { scopes: ['write'] }, 'bob')
        t.is((await sendPlain(url, '/?scope=x', { headers: bearer(writer.token) })).status, 200)
      },
      (config) => config.replace(/^(?! *#)(.*\/forward-auth)(;?)$/gm, '$1?scope=write$2'),
    ),
  )

  register(`${proxy.name}: networks see the client's address, whatever it claims`, (t) =>
    inFront(async ({ service, url, received }) => {
      const claim = { 'X-Forwarded-For': '203.0.113.7' }
      for (const [login, network, status] of [
        ['ada', '127.0.0.1', 200],
        ['bob', '203.0.113.0/24', 403],
      ] as const) {
        const { token } = await client(service, { networks: [network] }, login, network)
        const answer = await sendPlain(url, '/', { headers: { ...bearer(token), ...claim } })
        t.is(answer.status, status, network)
      }
      t.is(received.length, 1)
    }),
  )

  register(`${proxy.name}: without Twinkey's answer there is no access`, (t) =>
    inFront(
      async ({ service, url, received }) => {
        const { token } = await client(service)
        const { status } = await sendPlain(url, '/', { headers: bearer(token) })
        t.true(status >= 500, String(status))
        t.deepEqual(received, [])
      },
      // A port where nobody listens.
      (config) =>
        config.replace(/127\.0\.0\.1:\d+(?=\/forward-auth| \{|;\n\s+keepalive)/, '127.0.0.1:9'),
    ),
  )
}

async function client(
  { runtime, ...service }: Service,
  policy: { scopes?: string[]; networks?: string[] } = {},
  login = 'ada',
  from = '127.0.0.1',
) {
  const user = await service.createUser(login)
  const { keyPairs, tokens } = runtime.services
  const { keyPair, apiSecret } = await keyPairs.mint(operator, user.id, 'Client', { policy })
  const pair = { api_key: keyPair.apiKey, api_secret: apiSecret }
  const ip = from.split('/')[0] ?? null
  const { accessToken } = await tokens.exchange(pair.api_key, pair.api_secret, { ip })
  return { user, pair, token: accessToken }
}

function challengeOf({ headers }: { headers: IncomingHttpHeaders }): string {
  const value = headers['www-authenticate']
  return Array.isArray(value) ? value.join(' AND ') : String(value)
}
