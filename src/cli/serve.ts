import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.js'
import { generatePassword } from '../domain/password.js'
import { createHttpServer } from '../http/server.js'
import type { Logger } from '../logger.js'
import { createRuntime, type Runtime, type RuntimeOptions } from '../runtime.js'
import { readExtensionsFile } from './context.js'
import { listenOn } from './listen.js'
import type { Metering } from './metrics.js'
import { readVersion } from './version.js'

export interface RunningServer {
  runtime: Runtime
  server: Server
  address: AddressInfo
  /** What is counted, if anybody is to see it. */
  metering: Metering | undefined
  /** Answers what is under way, then writes what is in memory and closes the database. */
  stop(): Promise<void>
}

/** Longest wait for requests that are under way when the service stops. */
const drainMs = 10_000

/**
 * Starts the service. On an empty embedded database it also makes the first administrator.
 *
 * @throws {ListenError}
 * @throws {SchemaError} if the schema of a shared database is not current.
 */
export async function serve(config: Config, logger: Logger): Promise<RunningServer> {
  const running = await startServer(config, logger, { migrate: mayMigrate(config) })
  try {
    const stopMetrics = await serveOwnMetrics(config, logger, running.metering)
    await welcome(config, running.address, running.runtime)
    const stop = () => {
      stopMetrics?.()
      return running.stop()
    }
    return { ...running, stop }
  } catch (error) {
    await running.stop()
    throw error
  }
}

async function serveOwnMetrics(
  { metrics }: Config,
  logger: Logger,
  metering: Metering | undefined,
): Promise<(() => void) | undefined> {
  if (!metrics || !metering) return undefined
  const { serveMetrics } = await import('./metrics.js')
  return serveMetrics(metrics, logger, async () => [await metering.takeSnapshot()])
}

/** An embedded database is ours alone to bring up to date; a shared one only if we are told to. */
export function mayMigrate(config: Config): boolean {
  return config.database.dialect === 'sqlite' || config.migrateOnStart
}

/** Listens and answers, and nothing more. */
export async function startServer(
  config: Config,
  logger: Logger,
  options: Pick<RuntimeOptions, 'migrate' | 'isShared'>,
): Promise<RunningServer> {
  const extensions = await readExtensionsFile()
  const runtime = await createRuntime(config, { ...extensions, logger, ...options })
  if (config.database.dialect === 'mysql' && config.jwtSecret === undefined) {
    logger.warn(
      { dataDir: config.dataDir },
      'JWT_SECRET is not set: tokens are signed with the secret of this DATA_DIR, and nodes with another one refuse them',
    )
  }
  const server = createHttpServer(config.connections)
  server.on('request', runtime.listener)
  const metering = config.metrics && (await import('./metrics.js')).meter(server, runtime)
  try {
    const problem = runtime.services.keyRing.problem()
    if (problem) throw problem
    const address = await listenOn(server, config)
    logger.info({ host: address.address, port: address.port }, 'listening')
    runtime.services.nodes.join({ name: `${hostname()}:${address.port}`, version: readVersion() })
    return { runtime, server, address, metering, stop: () => drain(server, runtime) }
  } catch (error) {
    await stop(server, runtime)
    throw error
  }
}

/**
 * Says where the service is, and on the first start makes the administrator. That comes after
 * listening: a start that fails on its port must not use up the one time that the password is printed.
 */
export async function welcome(
  config: Config,
  address: AddressInfo,
  runtime: Runtime,
): Promise<void> {
  const isEmbedded = config.database.dialect === 'sqlite'
  const password = isEmbedded ? await createFirstAdministrator(runtime) : undefined
  announce(config, address, password)
}

/**
 * Ends the service without dropping anything: first it is not ready any more, and asks its clients to
 * close their connections; when those in front of it have had the time to notice, it stops.
 */
async function drain(server: Server, runtime: Runtime): Promise<void> {
  runtime.services.announceStop()
  server.prependListener('request', (_, response) => response.setHeader('Connection', 'close'))
  await delay(runtime.config.shutdownDelay * 1000)
  await stop(server, runtime)
}

async function stop(server: Server, runtime: Runtime): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  // A connection that is busy now is kept open by its client when it has been answered.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearInterval(sweep)
  clearTimeout(deadline)
  await runtime.close()
}

/** @returns The new administrator's password, if there was no user at all. */
async function createFirstAdministrator({
  stores,
  services,
}: Runtime): Promise<string | undefined> {
  if (!(await stores.users.isEmpty())) return undefined
  const password = generatePassword()
  try {
    await services.users.create({
      login: 'admin',
      email: 'admin@localhost.localdomain',
      password,
      role: 'administrator',
    })
  } catch (error) {
    // Another process has just done the same; it prints its password.
    if (await stores.users.isEmpty()) throw error
    return undefined
  }
  return password
}

function announce(config: Config, address: AddressInfo, password: string | undefined): void {
  // PORT=0 lets the system choose, and only then do we know.
  const url = config.port === 0 ? urlOf(address) : config.publicUrl
  const lines = ['', `  Twinkey is ready at ${url}`]
  if (password) {
    lines.push(
      '',
      '  This is the first start, so an administrator was created:',
      '',
      '    Username  admin',
      `    Password  ${password}`,
      '',
      '  The password is shown this once. Keep it, or set another with',
      '  `npx twinkey user password admin`.',
    )
  }
  console.log(`${lines.join('\n')}\n`)
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
