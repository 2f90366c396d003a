import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'

export interface SqliteAddress {
  dialect: 'sqlite'
  /** An absolute path, or `:memory:`. */
  filename: string
}

export interface DatabaseHost {
  host: string
  port: number
}

export interface MySqlAddress {
  dialect: 'mysql'
  /** Servers with the same data, the preferred one first; nearly always one. */
  hosts: readonly [DatabaseHost, ...DatabaseHost[]]
  user: string
  password: string
  database: string
  ssl: TlsConfig | undefined
}

export interface TlsConfig {
  /** Whether a certificate must come from a known authority. */
  rejectUnauthorized: boolean
  /** Whether it must also be in the name of the host. */
  verifyIdentity: boolean
  ca?: string
  cert?: string
  key?: string
}

export const databaseUrlForms =
  'must be sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME (several hosts: HOST:PORT,HOST:PORT)'

interface Surroundings {
  /** Where the database is if nobody says otherwise. */
  dataDir: string
  /** What relative paths are relative to. */
  directory: string
  /** Collects what is wrong; never with the URL in it, because of its password. */
  problems: string[]
}

/** @returns `undefined` if it names no database; why not is then among the problems. */
export function readDatabaseUrl(
  text: string | undefined,
  surroundings: Surroundings,
): SqliteAddress | MySqlAddress | undefined {
  const { dataDir, directory, problems } = surroundings
  if (!text || text.startsWith('sqlite:')) {
    // sqlite:PATH, sqlite://PATH and sqlite:///ABSOLUTE/PATH are all seen in the wild.
    const filename = (text ?? '').replace(/^sqlite:(?:\/\/)?/, '')
    if (filename === '') return { dialect: 'sqlite', filename: join(dataDir, 'twinkey.sqlite') }
    if (filename === ':memory:') return { dialect: 'sqlite', filename }
    return { dialect: 'sqlite', filename: resolve(directory, filename) }
  }
  // No URL has several hosts: each is read with the rest of the text as a URL of its own.
  const parts = /^(?:mysql|mariadb):\/\/((?:[^/?#]*@)?)([^/?#]*)([/?#].*)?$/s.exec(text)
  const [, credentials = '', authority = '', rest = ''] = parts ?? []
  const urls = authority.split(',').map((one) => `mysql://${credentials}${one}${rest}`)
  const [first = ''] = urls
  if (!parts || !urls.every((one) => URL.canParse(one))) {
    problems.push(`DATABASE_URL ${databaseUrlForms}`)
    return undefined
  }
  const url = new URL(first)
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decode)
  if (user === undefined || password === undefined || database === undefined) {
    problems.push('DATABASE_URL has a "%" that must be written as "%25"')
    return undefined
  }
  const hosts = urls.map(hostOf)
  if (!isNonEmpty(hosts) || !hosts.every(({ host }) => host) || !/^[^/]+$/.test(database)) {
    problems.push(
      'DATABASE_URL must name a host and a database: mysql://USER:PASSWORD@HOST:PORT/NAME',
    )
    return undefined
  }
  const ssl = readTls(url.searchParams, hosts, surroundings)
  return { dialect: 'mysql', hosts, user, password, database, ssl }
}

function hostOf(text: string): DatabaseHost {
  const { hostname, port } = new URL(text)
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 3306 : Number(port),
  }
}

function isNonEmpty<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    // A "%" that is not followed by two digits.
    return undefined
  }
}

const tlsFiles = { ssl_ca: 'ca', ssl_cert: 'cert', ssl_key: 'key' } as const

/**
 * `ssl=true` (a known authority, and the name of the host), `ssl=verify-ca`, `ssl=skip-verify`, and
 * files `ssl_ca`, `ssl_cert`, `ssl_key`.
 */
function readTls(
  query: URLSearchParams,
  hosts: readonly DatabaseHost[],
  { directory, problems }: Surroundings,
): TlsConfig | undefined {
  for (const name of query.keys()) {
    if (name !== 'ssl' && !(name in tlsFiles)) {
      problems.push(
        `DATABASE_URL has an unknown option "${name}" (known: ssl, ssl_ca, ssl_cert, ssl_key)`,
      )
    }
  }
  const hasFiles = Object.keys(tlsFiles).some((name) => query.get(name))
  const mode = query.get('ssl') ?? String(hasFiles)
  if (!['true', 'false', 'verify-ca', 'skip-verify'].includes(mode)) {
    problems.push('DATABASE_URL option "ssl" must be true, false, verify-ca or skip-verify')
  }
  if (mode === 'true' && hosts.some(({ host }) => isIP(host))) {
    problems.push(
      'DATABASE_URL names its host by address, which certificates do not: use its name, or ssl=verify-ca',
    )
  }
  const tls: TlsConfig = {
    rejectUnauthorized: mode !== 'skip-verify',
    verifyIdentity: mode === 'true',
  }
  for (const [name, field] of Object.entries(tlsFiles)) {
    const file = query.get(name)
    if (!file) continue
    try {
      tls[field] = readFileSync(resolve(directory, file), 'utf8')
    } catch (error) {
      problems.push(`DATABASE_URL option "${name}" cannot be read: ${(error as Error).message}`)
    }
  }
  return mode === 'false' ? undefined : tls
}
