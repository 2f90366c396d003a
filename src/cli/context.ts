import { existsSync } from 'node:fs'
import type { Config, DatabaseConfig, LogLevel } from '../config.js'
import type { Extensions } from '../hooks.js'
import type { Runtime } from '../runtime.js'
import { warn } from './failures.js'

/** The operator's code, from the file of the working directory. @throws {ConfigError} */
export async function readExtensionsFile(): Promise<Extensions> {
  const [{ readEnvironment }, { loadConfigFile }] = await Promise.all([
    import('../config.js'),
    import('../config-file.js'),
  ])
  return loadConfigFile(readEnvironment(process.env))
}

/** @throws {ConfigError} listing everything that is wrong. */
export async function readConfig(defaultLogLevel: LogLevel): Promise<Config> {
  const { loadConfig, readEnvironment } = await import('../config.js')
  const environment = readEnvironment(process.env)
  return loadConfig({ ...environment, LOG_LEVEL: environment.LOG_LEVEL || defaultLogLevel })
}

/**
 * Runs a command on the services, as the server does, and closes the database afterwards. An embedded
 * database is made or brought up to date first; a shared one must be current.
 */
export async function withRuntime<T>(work: (runtime: Runtime) => Promise<T>): Promise<T> {
  const config = await readConfig('warn')
  const [{ createRuntime }, { createLogger }] = await Promise.all([
    import('../runtime.js'),
    import('./logger.js'),
  ])
  const isEmbedded = config.database.dialect === 'sqlite'
  const newFile = missingFile(config.database)
  const runtime = await createRuntime(config, {
    ...(await readExtensionsFile()),
    logger: createLogger(config.logLevel),
    migrate: isEmbedded,
  })
  // In a wrong directory, or with a mistyped DATA_DIR, an empty answer would be a riddle.
  if (newFile) warn(`There was no database yet: ${newFile} was created.`)
  try {
    return await work(runtime)
  } finally {
    await runtime.close()
  }
}

function missingFile(database: DatabaseConfig): string | undefined {
  if (database.dialect !== 'sqlite' || database.filename === ':memory:') return undefined
  return existsSync(database.filename) ? undefined : database.filename
}
