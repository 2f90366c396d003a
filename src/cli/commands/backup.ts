import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Config, DatabaseConfig } from '../../config.js'
import type { BackupSecrets } from '../../store/backup.js'
import { readConfig } from '../context.js'
import { CliError } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { isoTime, time } from '../text.js'
import { readVersion } from '../version.js'

interface BackupOptions extends JsonOption {
  force?: boolean
  withSecrets?: boolean
}

export function backupCommand(): Command {
  return addJsonOption(new Command('backup'))
    .summary('copy the embedded database into a file')
    .description('Copies the embedded database into a file, also while the service runs.')
    .argument('<FILE>', 'the copy, which must not exist')
    .option('--with-secrets', 'put the JWT secret and the key-encryption key into it, too')
    .option('--force', 'replace FILE if it exists')
    .addHelpText('after', backupHelp)
    .action(backUp)
}

const backupHelp = `
The copy is the database as it is at one moment: all that was answered before has its place in
it. Only its owner can read it (mode 0600), and it has been checked when this ends.

It does not hold the secret that signs tokens nor the key that encrypts private keys, unless
you ask for them. Without them a restored service needs its old DATA_DIR or variables, or all
tokens and signing keys are void. A copy with secrets lets its reader sign tokens: encrypt it.

Examples:
  $ twinkey backup /var/backups/twinkey-$(date +%F).sqlite
  $ twinkey backup --with-secrets copy.sqlite && age -r … -o copy.age copy.sqlite && rm copy.sqlite

With --json: {"file":"…","bytes":…,"created_at":"…","secrets":["jwt_secret","key_encryption_key"]}`

export function restoreCommand(): Command {
  return addJsonOption(new Command('restore'))
    .summary('put a backup in the place of the embedded database')
    .description(
      'Puts a backup in the place of the embedded database. The service must be stopped.',
    )
    .argument('<FILE>', 'what `twinkey backup` made')
    .option('--force', 'replace a database that is there; it is kept under another name')
    .addHelpText('after', restoreHelp)
    .action(restore)
}

const restoreHelp = `
The backup is checked first: whether it is whole, and whether this version knows its schema.
A database in use is never touched. The one that was there is kept beside the new one.

Mind that a backup brings back what was revoked, disabled or changed after it was made.

Examples:
  $ twinkey restore /var/backups/twinkey-2026-11-23.sqlite --force

With --json: {"database":"…","created_at":"…","kept":"…","secrets":[],"pending_migrations":0}`

/** The names of secrets in JSON and in text. */
const secretWords = {
  jwtSecret: { json: 'jwt_secret', text: 'the JWT secret', variable: 'JWT_SECRET' },
  keyEncryptionKey: {
    json: 'key_encryption_key',
    text: 'the key-encryption key',
    variable: 'KEY_ENCRYPTION_KEY',
  },
} as const satisfies Record<keyof BackupSecrets, object>

const nameList = (secrets: BackupSecrets) => Object.keys(secrets) as (keyof BackupSecrets)[]

async function backUp(argument: string, options: BackupOptions): Promise<void> {
  const config = await readConfig('warn')
  const filename = embeddedFile(config.database, 'backup')
  const [{ backUpSqlite }, { readSecrets }] = await Promise.all([
    import('../../store/backup.js'),
    import('../secret-files.js'),
  ])
  const file = resolve(argument)
  const secrets = options.withSecrets ? readSecrets(config) : {}
  const createdAt = Math.floor(Date.now() / 1000)
  const facts = { createdAt, version: readVersion(), secrets }
  const bytes = await backUpSqlite(filename, file, facts, { replace: options.force ?? false })
  const names = nameList(secrets)
  const data = {
    file,
    bytes,
    created_at: isoTime(createdAt),
    secrets: names.map((name) => secretWords[name].json),
  }
  print(options, data, `${file}: ${formatBytes(bytes)}, checked.\n${aboutSecrets(names)}`)
}

function aboutSecrets(names: (keyof BackupSecrets)[]): string {
  if (names.length > 0) {
    const texts = names.map((name) => secretWords[name].text)
    return `It holds ${texts.join(' and ')}: whoever reads it can sign tokens. Encrypt it.\n`
  }
  return (
    'It does not hold the JWT secret nor the key-encryption key: keep those of DATA_DIR or of your\n' +
    'configuration elsewhere, or use --with-secrets. Without them no token of before is good.\n'
  )
}

async function restore(argument: string, options: BackupOptions): Promise<void> {
  const config = await readConfig('warn')
  const filename = embeddedFile(config.database, 'restore')
  const { restoreSqlite } = await import('../../store/backup.js')
  const stamp = isoTime(Math.floor(Date.now() / 1000)).replace(/[-:]/g, '')
  const replace = options.force ?? false
  const { facts, kept, pending } = await restoreSqlite(resolve(argument), filename, {
    replace,
    stamp,
  })
  const { lines, written } = await restoreSecrets(config, facts?.secrets ?? {}, stamp)
  const data = {
    database: filename,
    created_at: facts ? isoTime(facts.createdAt) : null,
    kept: kept ?? null,
    secrets: written.map((name) => secretWords[name].json),
    pending_migrations: pending,
  }
  const text = [
    `${filename} is now the backup${facts ? ` of ${time(facts.createdAt)}` : ''}.`,
    ...(kept ? [`The database of before is ${kept}.`] : []),
    ...lines,
    ...(pending > 0 ? [`Its schema is older: the next start runs ${pending} migration(s).`] : []),
    'What was revoked or changed since the backup is as it was then: look through key-pairs and users.',
  ]
  print(options, data, `${text.join('\n')}\n`)
}

/** Puts the secrets of a backup into DATA_DIR, but for those that a variable sets. */
async function restoreSecrets(
  config: Config,
  secrets: BackupSecrets,
  stamp: string,
): Promise<{ lines: string[]; written: (keyof BackupSecrets)[] }> {
  const { readSecrets, secretPath, writeSecretFile } = await import('../secret-files.js')
  const current = readSecrets(config)
  const lines: string[] = []
  const written: (keyof BackupSecrets)[] = []
  for (const name of nameList(secrets)) {
    const { variable, text } = secretWords[name]
    const secret = secrets[name] as string
    if (config[name] !== undefined) {
      if (current[name] !== secret) {
        lines.push(
          `${variable} is set to something else than ${text} of the backup. It was left alone.`,
        )
      }
      continue
    }
    const kept = writeSecretFile(config, name, secret, stamp)
    written.push(name)
    lines.push(
      `${secretPath(config, name)} is the backup's.${kept ? ` The one of before: ${kept}.` : ''}`,
    )
  }
  return { lines, written }
}

/** @throws {CliError} with what to do instead, where there is no file of ours to copy. */
function embeddedFile(database: DatabaseConfig, command: 'backup' | 'restore'): string {
  if (database.dialect === 'sqlite') {
    if (database.filename !== ':memory:') return database.filename
    throw new CliError('The database is in memory: there is no file.')
  }
  const { user, database: name } = database
  const [{ host, port }] = database.hosts
  const login = `--host=${host} --port=${port} --user=${user} --password`
  const tool =
    command === 'backup'
      ? `mariadb-dump ${login} --single-transaction --quick --hex-blob --default-character-set=utf8mb4 ${name} > FILE`
      : `mariadb ${login} --default-character-set=utf8mb4 ${name} < FILE`
  throw new CliError(
    `This is for the embedded database. For MySQL and MariaDB use the server's own tool${command === 'backup' ? ', which\nreads all tables as of one moment while the service writes' : ',\ninto an empty database, with the service stopped'}:\n\n  ${tool}\n`,
  )
}

function formatBytes(bytes: number): string {
  return bytes < 1_000_000
    ? `${Math.ceil(bytes / 1000)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`
}
