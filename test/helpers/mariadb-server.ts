import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import { findBinary } from './binaries.js'

export interface MariadbServer {
  /** Without a database, e.g. `mysql://twinkey:twinkey@127.0.0.1:40123/`. */
  url: string
  /**
   * Starts it again on the same data and port, after `stop` or `kill`.
   *
   * @param moreOptions For its command line, this once.
   */
  start(moreOptions?: readonly string[]): Promise<void>
  stop(): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Of the process that runs now. */
  pid(): number | undefined
  /** Stops it for good and removes its data. */
  remove(): Promise<void>
}

export const mariadbBinary = findBinary('mariadbd', 'mysqld')

/**
 * Starts a private server with a data directory and a port of its own.
 *
 * @param extraOptions For the server's command line.
 */
export async function startMariadb(extraOptions: readonly string[] = []): Promise<MariadbServer> {
  if (!mariadbBinary) throw new Error('mariadbd is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-mariadb-'))
  const data = join(folder, 'data')
  mkdirSync(data)
  writeFileSync(
    join(folder, 'init.sql'),
    "create user 'twinkey'@'%' identified by 'twinkey';\ngrant all on *.* to 'twinkey'@'%' with grant option;\n",
  )
  // mariadbd refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ['--user=mysql'] : []
  if (asUser.length > 0) execFileSync('chown', ['-R', 'mysql:', folder])
  const installer = findBinary('mariadb-install-db', 'mysql_install_db') ?? 'mariadb-install-db'
  execFileSync(
    installer,
    [
      '--no-defaults',
      ...asUser,
      `--datadir=${data}`,
      // Two that are installed at the same moment would take the same names in a folder they share.
      `--tmpdir=${folder}`,
      '--skip-test-db',
      '--auth-root-authentication-method=normal',
    ],
    { stdio: 'pipe' },
  )
  const port = await freePort()
  const url = `mysql://twinkey:twinkey@127.0.0.1:${port}/`
  const options = [
    '--no-defaults',
    ...asUser,
    `--datadir=${data}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--log-error=${join(folder, 'error.log')}`,
    `--tmpdir=${folder}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--max-connections=500',
    // Nobody needs these data after the machine has died; the process may.
    '--innodb-flush-log-at-trx-commit=2',
    '--skip-log-bin',
    ...extraOptions,
  ]
  let child: ChildProcess | undefined
  let isNew = true

  const server: MariadbServer = {
    url,
    async start(moreOptions = []) {
      const init = isNew ? [`--init-file=${join(folder, 'init.sql')}`] : []
      child = spawn(mariadbBinary as string, [...options, ...init, ...moreOptions], {
        stdio: 'ignore',
      })
      for (let attempt = 0; ; attempt++) {
        try {
          await (await mysql.createConnection(url)).end()
          break
        } catch (error) {
          if (attempt === 300 || child.exitCode !== null) {
            throw new Error(`mariadbd did not start:\n${readFileSync(join(folder, 'error.log'))}`, {
              cause: error,
            })
          }
          await delay(50)
        }
      }
      isNew = false
    },
    signal(signal) {
      child?.kill(signal)
    },
    pid: () => child?.pid,
    async stop() {
      await end(child, 'SIGTERM')
    },
    async remove() {
      await end(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
  process.once('exit', () => child?.kill('SIGKILL'))
  await server.start()
  return server
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await exited
}

/** @returns A port of the loopback address that nobody uses at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
