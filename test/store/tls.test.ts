import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openDatabase } from '../../src/store/open.js'
import { findBinary } from '../helpers/binaries.js'
import { mariadbBinary, startMariadb } from '../helpers/mariadb-server.js'
import { databaseConfig } from '../helpers/with-stores.js'

const openssl = findBinary('openssl')

/** An authority, and a certificate by it for one host name; all as PEM files in `folder`. */
function certify(folder: string, host: string): void {
  const run = (command: string) =>
    execFileSync(openssl as string, command.split(' '), { cwd: folder, stdio: 'pipe' })
  const newKey = '-newkey rsa:2048 -nodes'
  run(`req -x509 ${newKey} -keyout ca.key -out ca.pem -days 2 -subj /CN=Test-Authority`)
  run(`req ${newKey} -keyout server.key -out server.csr -subj /CN=${host}`)
  writeFileSync(join(folder, 'names.cnf'), `subjectAltName=DNS:${host}\n`)
  run(
    'x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names.cnf',
  )
  chmodSync(folder, 0o755)
  chmodSync(join(folder, 'server.key'), 0o644)
}

/** @returns The cipher of the connection, or why there is none. */
async function connect(url: string): Promise<string> {
  const db = openDatabase(databaseConfig(url), { warn() {}, error() {}, debug() {} })
  try {
    const [[row]] = await db.raw("show status like 'Ssl_cipher'")
    return row.Value === '' ? 'not encrypted' : 'encrypted'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await db.destroy()
  }
}

/** Runs `work` on a server whose certificate is for `host`. */
async function withTls(
  host: string,
  work: (port: string, authority: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-tls-'))
  try {
    certify(folder, host)
    const server = await startMariadb([
      `--ssl-ca=${folder}/ca.pem`,
      `--ssl-cert=${folder}/server.pem`,
      `--ssl-key=${folder}/server.key`,
    ])
    try {
      await work(new URL(server.url).port, `ssl_ca=${folder}/ca.pem`)
    } finally {
      await server.remove()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const register = mariadbBinary && openssl ? test : test.skip

register('MariaDB: who the server is, is checked as far as the URL asks for it', async (t) => {
  await withTls('db.example.com', async (port, authority) => {
    const connectTo = (host: string, query: string) =>
      connect(`mysql://twinkey:twinkey@${host}:${port}/mysql?${query}`)
    const refused = 'HANDSHAKE_SSL_ERROR'

    t.is(await connectTo('127.0.0.1', ''), 'not encrypted')
    t.is(await connectTo('127.0.0.1', 'ssl=skip-verify'), 'encrypted')
    t.is(await connectTo('127.0.0.1', 'ssl=verify-ca'), refused, 'an unknown authority')
    t.is(await connectTo('127.0.0.1', `ssl=verify-ca&${authority}`), 'encrypted')
    t.is(await connectTo('localhost', `ssl=true&${authority}`), refused, 'not for this host')
    t.is(await connectTo('localhost', authority), refused, 'not for this host')
  })
})

register('MariaDB: a certificate for the host is accepted', async (t) => {
  await withTls('localhost', async (port, authority) => {
    const url = `mysql://twinkey:twinkey@localhost:${port}/mysql`
    t.is(await connect(`${url}?${authority}`), 'encrypted')
    t.is(await connect(`${url}?ssl=true`), 'HANDSHAKE_SSL_ERROR', 'an unknown authority')
  })
})
