import { Command } from 'commander'
import { backupCommand, restoreCommand } from './commands/backup.js'
import { doctorCommand } from './commands/doctor.js'
import { auditCommand } from './commands/audit.js'
import { deviceCommand } from './commands/devices.js'
import { keyCommand } from './commands/keys.js'
import { migrateCommand } from './commands/migrate.js'
import { nodesCommand } from './commands/nodes.js'
import { serveCommand } from './commands/serve.js'
import { signingKeysCommand } from './commands/signing-keys.js'
import { tokenCommand } from './commands/tokens.js'
import { userCommand } from './commands/users.js'
import { readVersion } from './version.js'

/**
 * The whole command line. Its modules import nothing heavy: `--help` neither loads the database's
 * driver nor opens a database, and a command loads what it needs when it runs.
 */
export function createProgram(): Command {
  const program = new Command('twinkey')
    .description(
      'Named key-pairs that users mint for themselves, exchanged for JSON Web Tokens that die the moment the key is revoked.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', help)

  program.addCommand(serveCommand())
  program.addCommand(migrateCommand())
  program.addCommand(userCommand())
  program.addCommand(keyCommand())
  program.addCommand(deviceCommand())
  program.addCommand(tokenCommand())
  program.addCommand(signingKeysCommand())
  program.addCommand(nodesCommand())
  program.addCommand(doctorCommand())
  program.addCommand(auditCommand())
  program.addCommand(backupCommand())
  program.addCommand(restoreCommand())
  for (const command of withSubcommands(program)) {
    if (command !== program) command.helpCommand(false)
    command
      .exitOverride()
      .helpOption('-h, --help', 'explain this command')
      .configureOutput({ outputError: (text, write) => write(rewordUsageError(text)) })
      .showHelpAfterError(`Explained by: ${pathOf(command)} --help`)
  }
  return program
}

const help = `
A first run:
  $ twinkey serve                            starts; the first start makes an administrator
  $ twinkey key mint admin "Backup script"   mints a key-pair for a script
  $ twinkey key list admin                   shows when each key-pair was last used
  $ twinkey key revoke admin API_KEY         kills one, with every token made from it

Every command that prints data takes --json. Secrets are asked for or read from standard
input; they are never arguments, which everybody on the machine could read.

Configuration comes from the environment and from a .env file in the current directory:
  DATA_DIR       directory of the embedded database and the signing secret (./data)
  DATABASE_URL   sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME (SQLite in DATA_DIR)
The rest is explained by \`twinkey serve --help\`.

Exit codes: 0 done, 1 the request failed, 2 wrong usage, 3 configuration or database schema.`

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

/** In our voice, and without the value of an option that might have been a secret. */
function rewordUsageError(text: string): string {
  return text.replace(/^error: /, 'twinkey: ').replace(/(unknown option '--[^'=]*)=[^']*'/, "$1'")
}
