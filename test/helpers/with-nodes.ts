import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { type Environment, loadConfig } from '../../src/config.js'
import type { User } from '../../src/domain/user.js'
import { createRuntime, type Runtime } from '../../src/runtime.js'
import { type Dialect, dialects } from './dialects.js'
import { type SpawnedService, spawnService } from './spawn-service.js'
import { jwtSecret, type Pair, passwordOf, type Service, startService } from './with-service.js'

export interface Nodes {
  dialect: Dialect
  /** A user who exists from the start. */
  user: User
  /** The same database, seen from this process. */
  runtime: Runtime
  /** Starts one more process of the service, on a port of its own. */
  start(extra?: Environment): Promise<SpawnedService>
  /** Logs the user in at one node; the headers are good at all of them. */
  logIn(node: SpawnedService): Promise<Record<string, string>>
}

/** Waits longer than a busy test machine can make anybody wait. */
const patient = {
  DATABASE_CONNECT_TIMEOUT_MS: '60000',
  DATABASE_ACQUIRE_TIMEOUT_MS: '60000',
  DATABASE_QUERY_TIMEOUT_MS: '60000',
}

/** Registers a test once a database, to run when no other of its file does. */
export function onEachDatabaseAlone(
  title: string,
  implementation: (t: ExecutionContext, service: Service) => Promise<void>,
  env: Environment = {},
): void {
  for (const dialect of dialects) {
    const register = dialect.isAvailable ? test.serial : test.serial.skip
    register(`${dialect.name}: ${title}`, async (t) => {
      const service = await startService(dialect, { ...patient, ...env })
      try {
        await implementation(t, service)
      } finally {
        await service.close()
      }
    })
  }
}

/** Registers a test once a database, for several processes of the service on it. */
export function onEachDatabaseWithNodes(
  title: string,
  implementation: (t: ExecutionContext, nodes: Nodes) => Promise<void>,
): void {
  for (const dialect of dialects) {
    const register = dialect.isAvailable ? test.serial : test.serial.skip
    register(`${dialect.name}: ${title}`, async (t) => {
      const database = await dialect.create()
      const env = {
        DATABASE_URL: database.url,
        JWT_SECRET: jwtSecret,
        PUBLIC_URL: 'http://id.example.com',
        ...patient,
      }
      const started: SpawnedService[] = []
      const logger = pino({ level: 'silent' })
      const runtime = await createRuntime(loadConfig(env), { logger, migrate: true })
      try {
        const user = await runtime.services.users.create({
          login: 'ada',
          email: 'ada@sample.org',
          password: passwordOf('ada'),
          role: 'subscriber',
        })
        await implementation(t, {
          dialect,
          user,
          runtime,
          async start(extra = {}) {
            const node = await spawnService({ ...env, ...extra })
            started.push(node)
            return node
          },
          async logIn(node) {
            const response = await node.fetch('/login', {
              method: 'POST',
              body: new URLSearchParams({ user_login: 'ada', password: passwordOf('ada') }),
            })
            const { nonce } = (await response.json()) as { nonce: string }
            const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
            return { Cookie: cookie, 'X-WP-Nonce': nonce }
          },
        })
      } finally {
        await Promise.all(started.map((node) => node.stop('SIGKILL')))
        await runtime.close()
        await database.remove()
      }
    })
  }
}

/** Sends the requests that the concurrency tests are made of, to one node. */
export function clientOf(base: string, headers: Record<string, string> = {}) {
  async function send(method: string, path: string, fields?: Record<string, string>) {
    const response = await fetch(base + path, {
      method,
      headers,
      body: fields ? new URLSearchParams(fields) : null,
    })
    return { status: response.status, body: (await response.json()) as any }
  }
  return {
    send,
    async mint(userId: number, name: string): Promise<Pair> {
      const { status, body } = await send('POST', `/wp/v2/key-pair/${userId}`, { name })
      if (status !== 200) throw new Error(`mint: ${status} ${JSON.stringify(body)}`)
      return { api_key: body.row.api_key, api_secret: body.api_secret }
    },
    revoke: (userId: number, apiKey: string) =>
      send('DELETE', `/wp/v2/key-pair/${userId}/${apiKey}/revoke`),
    revokeAll: (userId: number) => send('DELETE', `/wp/v2/key-pair/${userId}/revoke-all`),
    exchange: (pair: Pair) => send('POST', '/wp/v2/token', { ...pair }),
    async validate(token: string) {
      const response = await fetch(`${base}/wp/v2/token/validate`, {
        headers: { Authorization: `Bearer ${token}` },
      })
      return { status: response.status, body: (await response.json()) as any }
    },
  }
}
