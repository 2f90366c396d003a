import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'

export interface SqliteAddress {
  dialect: 'sqlite'
  /** An absolute path, or `:memory:`. */
  filename: string
}

export interface MySqlAddress {
  dialect: 'mysql'
  host: string
  port: number
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

export const databaseUrlForms = 'must be sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME'

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
  if (!/^(mysql|mariadb):\/\//.test(text) || !URL.canParse(text)) {
    problems.push(`DATABASE_URL ${databaseUrlForms}`)
    return undefined
  }
  const url = new URL(text)
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decode)
  if (user === undefined || password === undefined || database === undefined) {
    problems.push('DATABASE_URL has a "%" that must be written as "%25"')
    return undefined
  }
  if (url.hostname === '' || database === '' || database.includes('/')) {
    problems.push(
      'DATABASE_URL must name a host and a database: mysql://USER:PASSWORD@HOST:PORT/NAME',
    )
    return undefined
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? 3306 : Number(url.port)
  const ssl = readTls(url.searchParams, host, surroundings)
  return { dialect: 'mysql', host, port, user, password, database, ssl }
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
  host: string,
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
  if (mode === 'true' && isIP(host)) {
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
