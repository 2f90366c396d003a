import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import pino from 'pino'
import { type Environment, loadConfig } from '../../src/config.js'
import type { User } from '../../src/domain/user.js'
import { createRuntime, type Runtime } from '../../src/runtime.js'
import { findBinary } from '../helpers/binaries.js'
import { type GaleraCluster, galeraLibrary, startGalera } from '../helpers/galera.js'
import { freePort } from '../helpers/mariadb-server.js'
import { type SpawnedService, spawnService } from '../helpers/spawn-service.js'
import { jwtSecret, keyEncryptionKey, passwordOf } from '../helpers/with-service.js'

export interface Cluster {
  galera: GaleraCluster
  /** Everybody's key-pairs are hers. */
  user: User
  /** For DATABASE_URL: the server of that number, alone. */
  urlOf(index: number): string
  /** A node in this process, whose preferred database server is the one of that number. */
  runtime(first: number, env?: Environment): Promise<Runtime>
  /** A node in a process of its own. `port`: that of one that has gone. */
  start(first: number, port?: number): Promise<SpawnedService>
  /** HAProxy, as in examples/, in front of nodes at these ports. */
  balance(ports: readonly number[]): Promise<string>
}

const haproxy = findBinary('haproxy')

let shared: Promise<GaleraCluster> | undefined
let databases = 0
test.after.always('stop the cluster', async () => {
  const galera = await shared
  await galera?.remove()
})

/** Registers a test on three Galera nodes; loudly skipped where there is no galera-4 (test/run.ts). */
export function onCluster(
  title: string,
  implementation: (t: ExecutionContext, cluster: Cluster) => Promise<void>,
): void {
  const register = galeraLibrary && haproxy ? test.serial : test.serial.skip
  register(title, async (t) => {
    t.timeout(15 * 60_000)
    shared ??= startGalera()
    const galera = await shared
    const database = `twinkey${databases++}`
    await galera.createDatabase(database)
    const common: Environment = {
      JWT_SECRET: jwtSecret,
      KEY_ENCRYPTION_KEY: keyEncryptionKey,
      PUBLIC_URL: 'http://id.example.com',
      TRUST_PROXY: '1',
      DATABASE_CONNECT_TIMEOUT_MS: '1500',
      // Longer than HAProxy takes to see that a node is not ready any more.
      SHUTDOWN_DELAY: '2',
    }
    const closers: (() => Promise<unknown>)[] = []
    const runtime = async (first: number, env: Environment = {}, migrate = false) => {
      const config = loadConfig({ ...common, DATABASE_URL: galera.url(database, first), ...env })
      const opened = await createRuntime(config, {
        logger: pino({ level: 'silent' }),
        migrate,
      })
      closers.push(() => opened.close())
      return opened
    }
    try {
      const { services } = await runtime(0, {}, true)
      const password = passwordOf('ada')
      const email = 'ada@sample.org'
      const user = await services.users.create({ login: 'ada', email, password, role: 'editor' })
      await implementation(t, {
        galera,
        user,
        urlOf: (index) => new URL(database, galera.nodes[index]?.url).href,
        runtime,
        async start(first, port) {
          const node = await spawnService({
            ...common,
            DATABASE_URL: galera.url(database, first),
            ...(port !== undefined && { PORT: String(port) }),
          })
          closers.push(() => node.stop('SIGKILL'))
          return node
        },
        async balance(ports) {
          const { url, stop } = await startHaproxy(ports)
          closers.push(stop)
          return url
        },
      })
    } finally {
      for (const { signal } of galera.nodes) signal('SIGCONT')
      for (const close of closers.reverse()) await close()
    }
  })
}

const example = fileURLToPath(new URL('../../examples/cluster/', import.meta.url))

async function startHaproxy(
  ports: readonly number[],
): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-cluster-'))
  cpSync(example, folder, { recursive: true })
  const port = await freePort()
  const path = join(folder, 'haproxy.cfg')
  let config = readFileSync(path, 'utf8')
    .replace('bind :8000', `bind 127.0.0.1:${port}`)
    // The abstract name is the whole machine's.
    .replaceAll('abns@twinkey-changes', `abns@twinkey-changes-${port}`)
  for (const [i, own] of ports.entries()) {
    config = config.replace(`127.0.0.1:808${i + 1}`, `127.0.0.1:${own}`)
  }
  writeFileSync(path, config)
  const child: ChildProcess = spawn(haproxy as string, ['-db', '-f', path], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  const killIt = () => child.kill('SIGKILL')
  process.once('exit', killIt)
  const exited = new Promise((resolve) => child.once('close', resolve))
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; !(await answers(url)); attempt++) {
    if (attempt === 400 || child.exitCode !== null)
      throw new Error(`HAProxy did not start:\n${output}`)
    await delay(50)
  }
  return {
    url,
    async stop() {
      child.kill('SIGKILL')
      await exited
      process.removeListener('exit', killIt)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok
  } catch {
    // Not yet.
    return false
  }
}
