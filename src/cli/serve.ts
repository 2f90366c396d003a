import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../config.js'
import { generatePassword } from '../domain/password.js'
import type { Logger } from '../logger.js'
import { createRuntime, type Runtime } from '../runtime.js'

export interface RunningServer {
  runtime: Runtime
  server: Server
  address: AddressInfo
  /** Answers what is under way, then writes what is in memory and closes the database. */
  stop(): Promise<void>
}

/** Longest wait for requests that are under way when the service stops. */
const drainMs = 10_000

/** Starts the service. On an empty embedded database it also makes the first administrator. */
export async function serve(config: Config, logger: Logger): Promise<RunningServer> {
  const isEmbedded = config.database.dialect === 'sqlite'
  const runtime = await createRuntime(config, {
    logger,
    migrate: isEmbedded || config.migrateOnStart,
  })
  const password = isEmbedded ? await createFirstAdministrator(runtime) : undefined
  const server = createServer(runtime.listener)
  // Longer than the idle time-out of the usual load balancers (60 s), which would otherwise now and
  // then send a request into a connection that we are closing.
  server.keepAliveTimeout = 65_000
  try {
    await listen(server, config)
  } catch (error) {
    await runtime.close()
    throw error
  }
  const address = server.address() as AddressInfo
  logger.info({ host: address.address, port: address.port }, 'listening')
  announce(config, password)
  return { runtime, server, address, stop: () => stop(server, runtime) }
}

function listen(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

async function stop(server: Server, runtime: Runtime): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearTimeout(timer)
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

function announce(config: Config, password: string | undefined): void {
  const lines = ['', `  Twinkey is ready at ${config.publicUrl}`]
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
