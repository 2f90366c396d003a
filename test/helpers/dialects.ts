import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { type MariadbServer, mariadbBinary, startMariadb } from './mariadb-server.js'

export interface TestDatabase {
  /** For DATABASE_URL. */
  url: string
  remove(): Promise<void>
}

export interface Dialect {
  name: 'SQLite' | 'MariaDB'
  isAvailable: boolean
  /** A new, empty database that nobody else uses. */
  create(): Promise<TestDatabase>
}

const sqlite: Dialect = {
  name: 'SQLite',
  isAvailable: true,
  async create() {
    const folder = mkdtempSync(join(tmpdir(), 'twinkey-sqlite-'))
    return {
      url: `sqlite:${join(folder, 'twinkey.sqlite')}`,
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}

let ownServer: Promise<MariadbServer> | undefined

/** The run's server (test/run.ts starts it), or one of this process's own. */
async function mariadbUrl(): Promise<string> {
  if (process.env.TEST_MARIADB_URL) return process.env.TEST_MARIADB_URL
  ownServer ??= startMariadb()
  return (await ownServer).url
}

const mariadb: Dialect = {
  name: 'MariaDB',
  isAvailable: Boolean(process.env.TEST_MARIADB_URL || mariadbBinary),
  async create() {
    const server = await mariadbUrl()
    const name = `twinkey_${randomBytes(6).toString('hex')}`
    const execute = async (sql: string) => {
      const connection = await mysql.createConnection({ uri: server, connectTimeout: 60_000 })
      await connection.query(sql)
      await connection.end()
    }
    // The server's default collation differs between installations: ours must not depend on it.
    await execute(`create database ${name} character set latin1 collate latin1_swedish_ci`)
    return {
      url: new URL(name, server).href,
      remove: () => execute(`drop database ${name}`),
    }
  },
}

export const dialects: readonly Dialect[] = [sqlite, mariadb]
