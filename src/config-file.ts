import { existsSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, type Environment } from './config.js'
import { readExtensions } from './extensions.js'
import type { Extensions } from './hooks.js'

const names = ['twinkey.config.ts', 'twinkey.config.mjs', 'twinkey.config.js'] as const

/**
 * Loads `twinkey.config.ts`, `.mjs` or `.js` of the working directory, or the file that `TWINKEY_CONFIG`
 * names.
 *
 * @returns What it exports by default; nothing if there is no such file.
 * @throws {ConfigError} if there is one that cannot be loaded, or more than one.
 */
export async function loadConfigFile(
  env: Environment,
  directory = process.cwd(),
): Promise<Extensions> {
  const path = findConfigFile(env, directory)
  if (path === undefined) return {}
  const { default: exported } = await load(path)
  // A loader that makes CommonJS of it, where package.json does not say "module", wraps it once more.
  const extensions = isWrapped(exported) ? exported.default : exported
  if (typeof extensions !== 'object' || extensions === null) {
    throw new ConfigError([`${path} must export its settings by default: export default { … }`])
  }
  try {
    readExtensions(extensions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.problems.map((problem) => `${path}: ${problem}`))
  }
  return extensions
}

function findConfigFile(env: Environment, directory: string): string | undefined {
  const named = env.TWINKEY_CONFIG
  if (named) {
    const path = resolve(directory, named)
    if (existsSync(path)) return path
    throw new ConfigError([`TWINKEY_CONFIG names ${path}, and there is no such file`])
  }
  const found = names.map((name) => join(directory, name)).filter((path) => existsSync(path))
  if (found.length > 1) {
    throw new ConfigError([`There are ${found.join(' and ')}: keep one of them`])
  }
  return found[0]
}

interface LoadedModule {
  default?: Extensions | { default: Extensions }
}

function isWrapped(exported: LoadedModule['default']): exported is { default: Extensions } {
  return typeof exported === 'object' && exported !== null && 'default' in exported
}

async function load(path: string): Promise<LoadedModule> {
  try {
    return await importModule(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const isUnreadable = (error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION'
    if (!isUnreadable || !extname(path).endsWith('ts')) {
      throw new ConfigError([`${path} cannot be loaded: ${reason}`])
    }
  }
  try {
    return await importTypeScript(path)
  } catch (error) {
    throw new ConfigError([`${path} cannot be loaded: ${(error as Error).message}`])
  }
}

function importModule(path: string): Promise<LoadedModule> {
  return import(pathToFileURL(path).href)
}

/** Node reads TypeScript itself from 22.18 on; before, this does. */
async function importTypeScript(path: string): Promise<LoadedModule> {
  const { createJiti } = await import('jiti')
  return createJiti(import.meta.url).import(path)
}
