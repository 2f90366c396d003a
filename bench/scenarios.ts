import type { LoadRequest } from './load.js'
import type { Seed } from './servers/twinkey.js'

/** What a server says when it is ready: its port, and what the load needs to know. */
export interface ServerInfo {
  port: number
  pairs?: { api_key: string; api_secret: string }[]
  tokens?: string[]
  refreshTokens?: string[]
  /** The session cookie of the user whose pairs are used. */
  session?: string
  exchangeBody?: string
  opaqueBody?: string
  introspectBody?: string
}

export interface ServerSpec {
  /** A module of dist/bench/servers. */
  module: 'baseline' | 'twinkey' | 'oidc-provider'
  argument?: string
  seed?: Omit<Seed, 'databaseUrl'>
  database?: Database
}

export type Database = 'SQLite' | 'MariaDB'

export interface Scenario {
  /** Unique; also what the targets refer to. */
  name: string
  server: ServerSpec
  connections: readonly number[]
  /** Takes minutes to prepare: measured when asked for. */
  isLarge?: boolean
  requests(info: ServerInfo): LoadRequest[] | Promise<LoadRequest[]>
}

const form = 'application/x-www-form-urlencoded'
const validatePath = '/wp-json/wp/v2/token/validate'
const tokenPath = '/wp-json/wp/v2/token'

const get = (path: string, token?: string): LoadRequest => ({
  method: 'GET',
  path,
  headers: token ? { Authorization: `Bearer ${token}` } : {},
})

const post = (path: string, body: string, type = form): LoadRequest => ({
  method: 'POST',
  path,
  headers: { 'Content-Type': type },
  body,
})

const multipart = (fields: Record<string, string>): LoadRequest => {
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--boundary42\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  return post(
    tokenPath,
    `${parts.join('')}--boundary42--\r\n`,
    'multipart/form-data; boundary=boundary42',
  )
}

const withToken = (path: string) => (info: ServerInfo) =>
  (info.tokens ?? []).map((token) => get(path, token))
const withSession = (path: string) => (info: ServerInfo) => [
  { ...get(path), headers: { Cookie: `twinkey_session=${info.session}` } },
]
const withPair = (info: ServerInfo) =>
  (info.pairs ?? []).map((pair) => post(tokenPath, String(new URLSearchParams(pair))))

const all = [1, 32, 256] as const
const pair = { api_key: '1Ro04xLB1S7Q4D9YOLVdqb8mx', api_secret: `twk_${'x'.repeat(46)}` }

const baselines: Scenario[] = [
  {
    name: 'node:http',
    server: { module: 'baseline', argument: 'node-http' },
    connections: all,
    requests: () => [get(validatePath)],
  },
  {
    name: 'Koa + router',
    server: { module: 'baseline', argument: 'koa-router' },
    connections: all,
    requests: () => [get(validatePath)],
  },
  {
    name: 'Koa + koa-body echo, urlencoded',
    server: { module: 'baseline', argument: 'koa-body-echo' },
    connections: [32],
    requests: () => [post(tokenPath, String(new URLSearchParams(pair)))],
  },
  {
    name: 'Koa + koa-body echo, multipart',
    server: { module: 'baseline', argument: 'koa-body-echo' },
    connections: [32],
    requests: () => [multipart(pair)],
  },
  {
    name: 'Koa + router + jose verify a request',
    server: { module: 'baseline', argument: 'jose-verify' },
    connections: [32],
    requests: withToken(validatePath),
  },
  {
    name: 'Koa + router + one SELECT a request, SQLite',
    server: { module: 'baseline', argument: 'select', database: 'SQLite' },
    connections: [32],
    requests: () => [get(validatePath)],
  },
  {
    name: 'Koa + router + one SELECT a request, MariaDB',
    server: { module: 'baseline', argument: 'select', database: 'MariaDB' },
    connections: [32],
    requests: () => [get(validatePath)],
  },
]

function ours(database: Database): Scenario[] {
  const server = (seed: ServerSpec['seed']): ServerSpec =>
    seed ? { module: 'twinkey', seed, database } : { module: 'twinkey', database }
  const one = server({ keyPairs: 1000, used: 1 })
  const many = server({ keyPairs: 1000, used: 1000 })
  const million = server({ keyPairs: 1_000_000, used: 1000 })
  const single = server({ keyPairs: 1, used: 1 })
  const hoarder = server({ keyPairs: 1000, used: 1, idleOfUser: 10_000 })
  // Of which one user has ten thousand, as `hoarder` has.
  const tenMillion = server({ keyPairs: 10_000_000, used: 1000, idleOfUser: 9000 })
  const asymmetric = server({ keyPairs: 1000, used: 1, algorithm: 'ES256' })
  const bad = server({ keyPairs: 1000, used: 1000, revoked: 0.1 })
  const row = (
    what: string,
    spec: ServerSpec,
    connections: readonly number[],
    requests: Scenario['requests'],
  ): Scenario => ({ name: `${database}: ${what}`, server: spec, connections, requests })

  return [
    row('validate', one, all, withToken(validatePath)),
    row('validate, 1,000 keys', many, [32, 256], withToken(validatePath)),
    row('validate, 1 key-pair in all', single, [32], withToken(validatePath)),
    row('validate, 1,000 keys of 1,000,000', million, [32], withToken(validatePath)),
    row('validate, user with 10,000 pairs', hoarder, [32], withToken(validatePath)),
    row('validate, 10 % revoked', bad, [32], withToken(validatePath)),
    row('users/me', one, [32], withToken('/wp-json/wp/v2/users/me')),
    row('requireToken', one, [32], withToken('/api/hello')),
    row('forward-auth', one, [32], withToken('/forward-auth')),
    row('exchange, urlencoded', one, [1, 32, 256], withPair),
    row('exchange, ES256', asymmetric, [32], withPair),
    row('exchange, OAuth', one, [32], (info) =>
      (info.pairs ?? []).map(({ api_key, api_secret }) => ({
        ...post(tokenPath, 'grant_type=client_credentials'),
        headers: {
          'Content-Type': form,
          Authorization: `Basic ${btoa(`${api_key}:${api_secret}`)}`,
        },
      })),
    ),
    row('exchange, 1,000 keys', many, [32], withPair),
    row('exchange, 1,000 keys of 1,000,000', million, [32], withPair),
    row('exchange, user with 10,000 pairs', hoarder, [32], withPair),
    row('exchange, multipart', one, [32], (info) => (info.pairs ?? []).map(multipart)),
    row('refresh', one, [32], (info) =>
      (info.refreshTokens ?? []).map((token) => post(tokenPath, `refresh_token=${token}`)),
    ),
    row('profile page, 10,000 pairs', hoarder, [1], withSession('/profile')),
    ...(database === 'MariaDB'
      ? [
          row('validate, 1,000 keys of 10,000,000', tenMillion, [32], withToken(validatePath)),
          row('exchange, 1,000 keys of 10,000,000', tenMillion, [32], withPair),
          row('profile page, 10,000 of 10,000,000 pairs', tenMillion, [1], withSession('/profile')),
        ].map((scenario) => ({ ...scenario, isLarge: true }))
      : []),
  ]
}

const peer: Scenario[] = [
  {
    name: 'oidc-provider: client_credentials, JWT',
    server: { module: 'oidc-provider' },
    connections: [32],
    requests: (info) => [post('/token', info.exchangeBody ?? '')],
  },
  {
    name: 'oidc-provider: introspection, opaque',
    server: { module: 'oidc-provider' },
    connections: [32],
    async requests(info) {
      const response = await fetch(`http://127.0.0.1:${info.port}/token`, {
        method: 'POST',
        headers: { 'Content-Type': form },
        body: info.opaqueBody ?? '',
      })
      const { access_token } = (await response.json()) as { access_token: string }
      return [post('/token/introspection', `${info.introspectBody}&token=${access_token}`)]
    },
  },
]

export const scenarios: readonly Scenario[] = [
  ...baselines,
  ...ours('SQLite'),
  ...ours('MariaDB'),
  ...peer,
]
