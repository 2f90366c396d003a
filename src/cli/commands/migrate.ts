import { Command } from 'commander'
import { readConfig } from '../context.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { count } from '../text.js'

export function migrateCommand(): Command {
  return addJsonOption(new Command('migrate'))
    .summary('create the database schema or bring it up to date')
    .description('Creates the database schema, or brings it up to date.')
    .addHelpText('after', help)
    .action(run)
}

const help = `
Needed on MySQL and MariaDB, before the first start and after an upgrade; an embedded
database is brought up to date by itself. Several machines may run it at once: one works,
the others wait for it.

Example:
  $ DATABASE_URL=mysql://twinkey:…@db.example/twinkey twinkey migrate

With --json: {"migrations":["…"]}, the ones that were run, oldest first.`

async function run(options: JsonOption): Promise<void> {
  const config = await readConfig('warn')
  const [{ openDatabase, waitMsOf }, { migrate }, { createLogger }] = await Promise.all([
    import('../../store/open.js'),
    import('../../store/migrate.js'),
    import('../logger.js'),
  ])
  const logger = createLogger(config.logLevel)
  const db = openDatabase(config.database, {
    warn: (message) => logger.warn({}, message),
    error: (message) => logger.error({}, message),
    debug: (message) => logger.debug({}, message),
  })
  try {
    const migrations = await migrate(db, waitMsOf(config.database))
    const text =
      migrations.length === 0
        ? 'The schema is current: there was nothing to do.\n'
        : `${migrations.map((name) => `  ${name}\n`).join('')}The schema is current: ${count(migrations.length, 'migration')} run.\n`
    print(options, { migrations }, text)
  } finally {
    await db.destroy()
  }
}
