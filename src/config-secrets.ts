import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import type { Environment } from './config.js'
import { isMetricsToken, metricsVariables } from './config-metrics.js'
import { parseEncryptionKey } from './domain/key-encryption.js'
import { secretProblem } from './domain/signing-secret.js'

/** The variables that hold a secret, or name a file that does. */
export const secretVariables = {
  JWT_SECRET: z.string().optional().describe('must be a secret of at least 32 bytes'),
  JWT_SECRET_FILE: z.string().optional().describe('must be the path of a file'),
  KEY_ENCRYPTION_KEY: z.string().optional().describe('must be 32 bytes in base64 or hexadecimal'),
  KEY_ENCRYPTION_KEY_FILE: z.string().optional().describe('must be the path of a file'),
} as const

/** @returns `undefined` if it is not set, or not good: what is wrong is then among the problems. */
export function readSecret(
  env: Environment,
  directory: string,
  problems: string[],
): string | undefined {
  const value = readTextOrFile('JWT_SECRET', env, directory, problems)
  if (value === undefined) return undefined
  const problem = secretProblem(value)
  if (problem) problems.push(`${sourceOf('JWT_SECRET', env)} ${problem}`)
  return value
}

export function readEncryptionKey(
  env: Environment,
  directory: string,
  problems: string[],
): Uint8Array | undefined {
  const value = readTextOrFile('KEY_ENCRYPTION_KEY', env, directory, problems)
  if (value === undefined) return undefined
  const key = parseEncryptionKey(value)
  if (!key) {
    problems.push(
      `${sourceOf('KEY_ENCRYPTION_KEY', env)} ${secretVariables.KEY_ENCRYPTION_KEY.description}`,
    )
  }
  return key
}

export function readMetricsToken(
  env: Environment,
  directory: string,
  problems: string[],
): string | undefined {
  const value = readTextOrFile('METRICS_TOKEN', env, directory, problems)
  if (value !== undefined && !isMetricsToken(value)) {
    problems.push(`${sourceOf('METRICS_TOKEN', env)} ${metricsVariables.METRICS_TOKEN.description}`)
  }
  return value
}

type SecretVariable = 'JWT_SECRET' | 'KEY_ENCRYPTION_KEY' | 'METRICS_TOKEN'

const sourceNouns = { JWT_SECRET: 'secret', KEY_ENCRYPTION_KEY: 'key', METRICS_TOKEN: 'token' }

/** Which of the two places a secret comes from, as the beginning of a sentence. */
function sourceOf(name: SecretVariable, env: Environment): string {
  if (!env[`${name}_FILE`]) return name
  return `The ${sourceNouns[name]} in ${name}_FILE`
}

/** A secret from the variable, or from the file that `…_FILE` names. */
function readTextOrFile(
  name: SecretVariable,
  env: Environment,
  directory: string,
  problems: string[],
): string | undefined {
  const text = env[name]
  const file = env[`${name}_FILE`]
  if (text && file) {
    problems.push(`${name} and ${name}_FILE are both set: keep one of them`)
    return undefined
  }
  if (!file) return text
  try {
    return readFileSync(resolve(directory, file), 'utf8').trim()
  } catch (error) {
    problems.push(`${name}_FILE cannot be read: ${(error as Error).message}`)
    return undefined
  }
}
