import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.js'
import type { BackupSecrets } from '../store/backup.js'

/** The files of DATA_DIR that hold secrets, where no variable does. */
export const secretFiles = {
  jwtSecret: 'jwt-secret',
  keyEncryptionKey: 'key-encryption-key',
} as const satisfies Record<keyof BackupSecrets, string>

type SecretName = keyof typeof secretFiles
export const secretNames = Object.keys(secretFiles) as SecretName[]

export const secretPath = ({ dataDir }: Pick<Config, 'dataDir'>, name: SecretName) =>
  join(dataDir, secretFiles[name])

/** What this installation signs and encrypts with, wherever it has it from. */
export function readSecrets(config: Config): BackupSecrets {
  const configured = {
    jwtSecret: config.jwtSecret,
    keyEncryptionKey:
      config.keyEncryptionKey && Buffer.from(config.keyEncryptionKey).toString('base64'),
  }
  const secrets: BackupSecrets = {}
  for (const name of secretNames) {
    const path = secretPath(config, name)
    const secret = configured[name] ?? (existsSync(path) ? readText(path) : undefined)
    if (secret !== undefined) secrets[name] = secret
  }
  return secrets
}

/**
 * Puts a secret into its file of DATA_DIR. One that is there and says something else is kept beside it.
 *
 * @returns Where that one is now.
 */
export function writeSecretFile(
  config: Config,
  name: SecretName,
  secret: string,
  stamp: string,
): string | undefined {
  const path = secretPath(config, name)
  const isThere = existsSync(path)
  if (isThere && readText(path) === secret) return undefined
  const kept = isThere ? `${path}.before-restore-${stamp}` : undefined
  if (kept) renameSync(path, kept)
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(path, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true })
  return kept
}

function readText(path: string): string {
  return readFileSync(path, 'utf8').trim()
}
