import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { createApp } from '../../src/app.js'
import { meter } from '../../src/cli/metrics.js'
import { type Environment, loadConfig } from '../../src/config.js'
import { operator } from '../../src/domain/actor.js'
import type { Role, User } from '../../src/domain/user.js'
import type { Extensions } from '../../src/hooks.js'
import { formatMetrics } from '../../src/metrics/snapshot.js'
import { createRuntime, type Runtime } from '../../src/runtime.js'
import { type Dialect, dialects } from './dialects.js'
import { createSecretWatch, dump } from './secret-watch.js'

export const jwtSecret = 'kT5-Wq0zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ'

export const keyEncryptionKey = 'x7Jc0mVhQpRk2sTnWzYb4dFgHiLoUe8v1A3B5C6D9Eo='

export interface Pair {
  api_key: string
  api_secret: string
}

export interface LoggedIn {
  user: User
  cookie: string
  nonce: string
  /** For requests of the user's own pages. */
  headers: Record<string, string>
}

export interface Service {
  dialect: Dialect
  /** Where it listens; also the issuer of its tokens. */
  url: string
  databaseUrl: string
  runtime: Runtime
  /** The app alone, without the lanes before it. */
  app(): ReturnType<typeof createApp>
  /** Moves the service's clock, in seconds. */
  advance(seconds: number): void
  now(): number
  /** Lets the service's clock stand still from now on; `advance` still moves it. */
  stopClock(): void
  /** Everything written to the log so far. */
  log(): string
  /** Lets the search for secrets in what was written know only those that the service handed out. */
  ignoreSentSecrets(): void
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** GET, or POST where there are fields (urlencoded); the answer's JSON. */
  json(path: string, init?: JsonInit): Promise<{ status: number; body: any; headers: Headers }>
  createUser(login: string, role?: Role): Promise<User>
  logIn(login: string, password?: string): Promise<LoggedIn>
  mint(userId: number, name?: string): Promise<Pair>
  exchange(pair: Pair): Promise<{ access_token: string; refresh_token: string }>
  /** @throws {Error} if any secret that has passed the service stands in its log, metrics or rows. */
  close(): Promise<void>
}

export interface JsonInit {
  method?: string
  headers?: Record<string, string>
  fields?: Record<string, string>
  json?: unknown
}

/** The password of every user that `createUser` makes. */
export const passwordOf = (login: string) => `${login}-pass-1`
export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

/** A real server on a real, empty database. @param host By which name it is reached. */
export async function startService(
  dialect: Dialect,
  env: Environment = {},
  { host = '127.0.0.1', ...extensions }: Extensions & { host?: string } = {},
): Promise<Service> {
  const database = await dialect.create()
  const server = createServer()
  // A machine that stands still for seconds must not send into a connection that is being closed.
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://${host}:${(server.address() as AddressInfo).port}`
  const watch = createSecretWatch(server)
  const lines: string[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
  let offset = 0
  let stoppedAt: number | undefined
  const now = () => (stoppedAt ?? Math.floor(Date.now() / 1000)) + offset
  const config = loadConfig({
    PUBLIC_URL: url,
    DATABASE_URL: database.url,
    JWT_SECRET: jwtSecret,
    KEY_ENCRYPTION_KEY: keyEncryptionKey,
    DATA_DIR: tmpdir(),
    // All of a test's failures come from one address.
    RATE_LIMIT_EXCHANGE: '100000/1m',
    RATE_LIMIT_EXCHANGE_ADDRESS: '100000/1m',
    ...env,
  })
  const runtime = await createRuntime(config, { ...extensions, logger, now, migrate: true }).catch(
    async (error: unknown) => {
      // A server that listens keeps the whole run from ending.
      await closeServer(server)
      throw error
    },
  )
  server.on('request', runtime.listener)
  const metering = meter(server, runtime)

  const service: Service = {
    dialect,
    url,
    databaseUrl: database.url,
    runtime,
    advance(seconds) {
      offset += seconds
    },
    now,
    app: () => createApp({ services: runtime.services, config, logger }),
    stopClock() {
      stoppedAt = now() - offset
    },
    log: () => lines.join(''),
    ignoreSentSecrets: () => watch.ignoreRequests(),
    fetch(path, init) {
      watch.addRequest(init)
      return fetch(url + path, { redirect: 'manual', ...init })
    },
    async json(path, { method, headers = {}, fields, json } = {}) {
      const body = fields
        ? new URLSearchParams(fields)
        : json === undefined
          ? null
          : JSON.stringify(json)
      const response = await service.fetch(path, {
        method: method ?? (body === null ? 'GET' : 'POST'),
        headers: { ...headers, ...(json !== undefined && { 'Content-Type': 'application/json' }) },
        body,
      })
      const text = await response.text()
      return { status: response.status, body: text && JSON.parse(text), headers: response.headers }
    },
    createUser(login, role = 'subscriber') {
      watch.add(passwordOf(login))
      return runtime.services.users.create({
        login,
        email: `${login}@sample.org`,
        password: passwordOf(login),
        role,
      })
    },
    async logIn(login, password = passwordOf(login)) {
      const response = await service.fetch('/login', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ user_login: login, password }),
      })
      if (response.status !== 200)
        throw new Error(`login: ${response.status} ${await response.text()}`)
      const { nonce } = (await response.json()) as { nonce: string }
      const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      const user = await runtime.services.users.findByLogin(login)
      return { user, cookie, nonce, headers: { Cookie: cookie, 'X-WP-Nonce': nonce } }
    },
    async mint(userId, name = 'Test') {
      const { keyPair, apiSecret } = await runtime.services.keyPairs.mint(operator, userId, name)
      watch.add(apiSecret)
      return { api_key: keyPair.apiKey, api_secret: apiSecret }
    },
    async exchange(pair) {
      const { status, body } = await service.json('/wp/v2/token', { fields: { ...pair } })
      if (status !== 200) throw new Error(`exchange: ${status} ${JSON.stringify(body)}`)
      return body
    },
    async close() {
      const metrics = await formatMetrics([await metering.takeSnapshot()])
      metering.close()
      await closeServer(server)
      // A database that a test has stopped or damaged has nothing to show.
      const rows = await dump(runtime.db).catch(() => '')
      await runtime.close()
      await database.remove()
      for (const [where, text] of Object.entries({ log: lines.join(''), metrics, rows })) {
        const found = watch.foundIn(text)
        if (found.length > 0) throw new Error(`Secrets in the ${where}: ${found.join('…, ')}…`)
      }
    },
  }
  return service
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

type Implementation = (t: ExecutionContext, service: Service) => Promise<void>

/**
 * Registers a test once a database, each with a service of its own. Where a database is missing the
 * test counts as skipped.
 */
export function onEachDatabase(
  title: string,
  implementation: Implementation,
  env?: Environment,
  extensions?: Extensions,
): void {
  for (const dialect of dialects) {
    const register = dialect.isAvailable ? test : test.skip
    register(`${dialect.name}: ${title}`, async (t) => {
      const service = await startService(dialect, env, extensions)
      try {
        await implementation(t, service)
      } finally {
        await service.close()
      }
    })
  }
}
