import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Command } from 'commander'
import { exitCodes, reportFailure } from '../../src/cli/failures.js'
import { createProgram } from '../../src/cli/program.js'
import { onEachEmptyDatabase } from '../helpers/with-stores.js'
import { runCli } from './run-cli.js'

const root = new URL('../../', import.meta.url)

async function inNewFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-cli-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('help and version touch nothing, not even a wrong configuration', async (t) => {
  await inNewFolder(async (folder) => {
    const DATA_DIR = join(folder, 'data')
    const env = { DATA_DIR, PORT: 'nonsense' }
    const help = await runCli(['--help'], { env, folder })
    t.is(help.code, 0)
    for (const name of ['serve', 'migrate', 'user', 'key', 'token'])
      t.regex(help.stdout, new RegExp(`\n  ${name} `))
    t.regex(help.stdout, /Exit codes: 0 done, 1 .*, 2 .*, 3 /)

    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
    t.is((await runCli(['--version'], { env, folder })).stdout, `${version}\n`)
    t.false(existsSync(DATA_DIR))
  })
})

test('every command explains itself with an example, in lines that fit', (t) => {
  const leaves = createProgram().commands.flatMap((command) =>
    command.commands.length > 0 ? [...command.commands] : [command],
  )
  t.is(leaves.length, 36)
  for (const command of leaves) {
    let text = ''
    command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 90 })
    command.outputHelp()
    t.regex(text, /Examples?:\n {2}\$ .*twinkey /, command.name())
    t.regex(command.description(), /^[A-Z].*\.$/)
    for (const line of text.split('\n')) t.true(line.length <= 100, line)
  }
})

/** Without a process, for what is refused before anything begins. */
async function parse(args: readonly string[]): Promise<{ code: number; output: string }> {
  let output = ''
  const listen = (command: Command): void => {
    command.configureOutput({ writeErr: (text) => (output += text) })
    command.commands.forEach(listen)
  }
  const program = createProgram()
  listen(program)
  try {
    await program.parseAsync(args, { from: 'user' })
    return { code: exitCodes.ok, output }
  } catch (error) {
    return { code: reportFailure(error), output }
  }
}

test('wrong usage ends with 2, a hint, and without a secret that was an argument', async (t) => {
  const mistakes = [
    [[], /^Usage: twinkey/],
    [['user'], /^Usage: twinkey user/],
    [['usr'], /^twinkey: unknown command 'usr'\n\(Did you mean user\?\)\n/],
    [['key', 'mint', 'ada', 'x', 'hunter2'], /too many arguments/],
    [['user', 'password', 'ada', '--password=hunter2'], /unknown option '--password'/],
    [['user', 'create', 'ada', '--email', 'a@b', '--role', 'king'], /Allowed choices are admin/],
    [['user', 'password', 'a', '--password-stdin', '--generate-password'], /cannot be used with/],
    [['serve', '--workers', 'many'], /integer/],
  ] as const
  for (const [args, message] of mistakes) {
    const { code, output } = await parse(args)
    t.is(code, 2, args.join(' '))
    t.regex(output, message)
    t.notRegex(output, /hunter2/)
  }
  const { code, stdout, stderr } = await runCli(['key', 'mint', 'ada'])
  t.deepEqual([code, stdout], [2, ''])
  t.is(stderr, "twinkey: missing required argument 'NAME'\nExplained by: twinkey key mint --help\n")
})

test('a secret must come from somewhere', async (t) => {
  await inNewFolder(async (folder) => {
    const create = ['user', 'create', 'ada', '--email', 'ada@example.org']
    const none = await runCli(create, { folder })
    t.is(none.code, 2)
    t.regex(
      none.stderr,
      /Pass it on standard input with --password-stdin, or use --generate-password\.\n$/,
    )
    const stdin = [...create, '--password-stdin']
    const inputs = [
      ['\n', 2, 'There was no password on standard input.'],
      ['first line\nsecond line\n', 1, 'The password on standard input must be one line.'],
      [
        Buffer.from('passw\xf6rd!', 'latin1'),
        1,
        'The password on standard input must be valid UTF-8.',
      ],
      ['x'.repeat(70_000), 1, 'The password on standard input is too long.'],
    ] as const
    for (const [input, expected, message] of inputs) {
      const { code, stderr } = await runCli(stdin, { input, folder })
      t.deepEqual([code, stderr], [expected, `twinkey: ${message}\n`])
    }
    t.is((await runCli(['user', 'list', '--json'], { folder })).stdout, '{"users":[]}\n')
  })
})

test('a wrong configuration ends with 3, all of it at once and no secret in it', async (t) => {
  const env = {
    PORT: '99999',
    JWT_SECRET: 'hunter2',
    DATABASE_URL: 'postgres://me:hunter2@db/x',
    LOG_LEVEL: '',
  }
  const { code, stdout, stderr } = await runCli(['user', 'list'], { env })
  t.deepEqual([code, stdout], [3, ''])
  t.regex(stderr, /^twinkey: The configuration is not valid:\n {2}- PORT .*\n {2}- .*\n {2}- .*\n$/)
  t.notRegex(stderr, /hunter2/)
})

test('a database that cannot be used is one line, without its password', async (t) => {
  await inNewFolder(async (folder) => {
    writeFileSync(join(folder, 'junk'), 'This is no database, and long enough to be sure of it.')
    const databases = [
      [
        'mysql://me:hunter2@127.0.0.1:1/twinkey',
        /cannot be used: connect ECONNREFUSED 127\.0\.0\.1:1/,
      ],
      ['sqlite:junk', /junk is no whole SQLite database \(SQLITE_NOTADB\)\. It was left/],
      ['sqlite:junk/db', /not a directory|file already exists/],
    ] as const
    for (const [DATABASE_URL, message] of databases) {
      const { code, stdout, stderr } = await runCli(['user', 'list'], {
        env: { DATABASE_URL },
        folder,
      })
      t.deepEqual([code, stdout], [1, ''])
      t.regex(stderr, message)
      t.regex(stderr, /^twinkey: .*\n$/)
      t.notRegex(stderr, /hunter2/)
    }
  })
})

onEachEmptyDatabase(
  'an embedded database is made; a shared one waits for migrate',
  async (t, { url, dialect }) => {
    const cli = (...args: string[]) => runCli(args, { env: { DATABASE_URL: url } })
    const first = await cli('user', 'list', '--json')
    if (dialect.name === 'SQLite') {
      t.deepEqual([first.code, first.stdout], [0, '{"users":[]}\n'])
      t.regex(
        first.stderr,
        /^twinkey: There was no database yet: .*twinkey\.sqlite was created\.\n$/,
      )
      t.is((await cli('user', 'list')).stderr, '')
      t.is((await cli('migrate')).stdout, 'The schema is current: there was nothing to do.\n')
      return
    }
    t.deepEqual([first.code, first.stdout], [3, ''])
    t.regex(first.stderr, /^twinkey: The database schema is not current.*\nRun `twinkey migrate`/)
    const { code, json } = await cli('migrate', '--json')
    t.is(code, 0)
    t.true(json().migrations.length > 0)
    t.is((await cli('migrate', '--json')).stdout, '{"migrations":[]}\n')
    t.is((await cli('user', 'list')).code, 0)
    const elsewhere = { DATABASE_URL: url.replace(/\/[^/]*$/, '/no_such_database') }
    const refused = await runCli(['user', 'list'], { env: elsewhere })
    t.is(refused.stderr, "twinkey: The database refused: Unknown database 'no_such_database'\n")
  },
)
