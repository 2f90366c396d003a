import { Command, Option } from 'commander'
import { readExpiry } from './key-policy.js'
import { operator } from '../../domain/actor.js'
import { type Role, roles, type User } from '../../domain/user.js'
import type { Services } from '../../services/index.js'
import { withRuntime } from '../context.js'
import { CliError } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import {
  addSecondFactorCommands,
  describeSecondFactors,
  secondFactorData,
} from './second-factors.js'
import { addPasswordOptions, type PasswordOptions, readNewPassword } from '../password.js'
import { confirmed } from '../secrets.js'
import { count, fields, isoTime, table, time, visible } from '../text.js'

export function userCommand(): Command {
  const user = new Command('user')
    .summary('create, look up and end user accounts')
    .description('Creates, looks up and ends the accounts of the people who own key-pairs.')

  const create = user
    .command('create')
    .summary('create a user')
    .description('Creates a user, who can then log in and mint key-pairs.')
    .argument('<LOGIN>', '1 to 60 letters, digits, spaces and _ . - @; never changes')
    .requiredOption('--email <address>', 'e-mail address, unique')
    .addOption(
      new Option('--role <role>', 'what the user may do').choices(roles).default('subscriber'),
    )
    .option('--display-name <name>', 'the name shown to others (the login)')
    .option('--first-name <name>', 'for the profile')
    .option('--last-name <name>', 'for the profile')
    .action(createUser)
  addJsonOption(addPasswordOptions(create)).addHelpText(
    'after',
    `
Examples:
  $ twinkey user create ada --email ada@example.org
  $ printf %s "$PASSWORD" | twinkey user create ada --email ada@example.org --password-stdin
  $ twinkey user create ci --email ci@example.org --role administrator --generate-password`,
  )

  addJsonOption(user.command('list'))
    .summary('list users')
    .description('Lists users, oldest first.')
    .option('--search <text>', 'only those with this in login, e-mail or display name')
    .action(listUsers)
    .addHelpText(
      'after',
      `
Examples:
  $ twinkey user list --search example.org
  $ twinkey user list --json | jq -r '.users[].user_login'`,
    )

  addJsonOption(user.command('show'))
    .summary('show a user')
    .description('Shows a user, and how many key-pairs the user has.')
    .argument('<LOGIN>')
    .action(showUser)
    .addHelpText('after', '\nExample:\n  $ twinkey user show ada')

  const password = user
    .command('password')
    .summary("set a user's password")
    .description(
      "Sets a user's password. That revokes all the user's key-pairs and ends all sessions.",
    )
    .argument('<LOGIN>')
    .action(setPassword)
  addJsonOption(addPasswordOptions(password)).addHelpText(
    'after',
    `
Examples:
  $ twinkey user password ada
  $ twinkey user password ada --password-stdin < new-password.txt`,
  )

  addJsonOption(user.command('disable'))
    .summary('lock a user out')
    .description("Refuses a user's tokens, key-pairs and log-ins from now on.")
    .argument('<LOGIN>')
    .action(disableUser)
    .addHelpText(
      'after',
      `
Takes effect with the next request, on every node. Sessions end; key-pairs and tokens are
kept and work again after \`twinkey user enable\`.

Example:
  $ twinkey user disable ada`,
    )

  addJsonOption(user.command('enable'))
    .summary('let a disabled user in again')
    .description('Accepts a disabled user again, with the key-pairs and tokens from before.')
    .argument('<LOGIN>')
    .action(enableUser)
    .addHelpText('after', '\nExample:\n  $ twinkey user enable ada')

  addJsonOption(user.command('expire'))
    .summary('say when an account expires')
    .description("Refuses a user's tokens, key-pairs and log-ins from a moment on.")
    .argument('<LOGIN>')
    .argument('<WHEN>', 'after 30d or 12h, on 2027-01-31 (UTC), or never', readExpiry)
    .action(expireUser)
    .addHelpText(
      'after',
      `
Key-pairs and tokens are kept, and work again if the account is given more time.

Examples:
  $ twinkey user expire ada 90d
  $ twinkey user expire ada never`,
    )

  addSecondFactorCommands(user)

  addJsonOption(user.command('delete'))
    .summary('delete a user')
    .description('Deletes a user for ever, with all key-pairs, tokens and sessions.')
    .argument('<LOGIN>')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(deleteUser)
    .addHelpText(
      'after',
      `
To lock somebody out for a while, use \`twinkey user disable\` instead.

Example:
  $ twinkey user delete ada --yes`,
    )
  return user
}

interface CreateOptions extends JsonOption, PasswordOptions {
  email: string
  role: Role
  displayName?: string
  firstName?: string
  lastName?: string
}

function createUser(login: string, options: CreateOptions): Promise<void> {
  return withRuntime(async ({ services }) => {
    const { email, role, displayName, firstName, lastName } = options
    const { password, generated } = await readNewPassword(options)
    const names = {
      ...(displayName !== undefined && { displayName }),
      ...(firstName !== undefined && { firstName }),
      ...(lastName !== undefined && { lastName }),
    }
    const user = await services.users.create({ login, email, password, role, ...names })
    print(
      options,
      { ...userData(user), ...(generated && { password }) },
      `User ${user.login} (${role}, id ${user.id}) was created.\n${showPassword(generated, password)}`,
    )
  })
}

function listUsers(options: JsonOption & { search?: string }): Promise<void> {
  return withRuntime(async ({ services }) => {
    const users: User[] = []
    for (;;) {
      const page = await services.users.list(operator, {
        ...(options.search && { search: options.search }),
        offset: users.length,
        limit: 500,
      })
      users.push(...page.users)
      if (page.users.length === 0 || users.length >= page.total) break
    }
    const rows = users.map((user) => [
      String(user.id),
      user.login,
      user.email,
      user.roles.join(', '),
      user.status,
      time(user.createdAt),
    ])
    const none = options.search
      ? `No user has "${visible(options.search)}" in login, e-mail or display name.\n`
      : 'There are no users yet. Create one with `twinkey user create`.\n'
    print(
      options,
      { users: users.map(userData) },
      rows.length === 0
        ? none
        : table(['ID', 'LOGIN', 'E-MAIL', 'ROLE', 'STATUS', 'CREATED'], rows),
    )
  })
}

function showUser(login: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const keyPairs = await services.keyPairs.list(operator, user.id, { includeRevoked: true })
    const active = keyPairs.filter((keyPair) => keyPair.revokedAt === null).length
    const revoked = keyPairs.length - active
    const secondFactors = await services.secondFactors.view(operator, user.id)
    print(
      options,
      {
        ...userData(user),
        active_key_pairs: active,
        second_factor: secondFactorData(secondFactors),
      },
      fields([
        ['Login', user.login],
        ['Id', String(user.id)],
        ['E-mail', user.email],
        ['Shown as', user.displayName],
        ['Name', `${user.firstName} ${user.lastName}`.trim() || '—'],
        ['Role', user.roles.join(', ')],
        ['Status', statuses[user.status]],
        ...(user.expiresAt === null ? [] : ([['Expires', time(user.expiresAt)]] as const)),
        ['Created', time(user.createdAt)],
        ['Key-pairs', `${active} active${revoked > 0 ? `, ${revoked} revoked` : ''}`],
        ['2nd factor', describeSecondFactors(secondFactors)],
      ]),
    )
  })
}

const statuses = {
  active: 'active',
  disabled: 'disabled: tokens, key-pairs and log-ins are refused',
}

function setPassword(login: string, options: JsonOption & PasswordOptions): Promise<void> {
  return withRuntime(async ({ services }) => {
    // Somebody who is about to be asked should first learn of a mistyped login.
    const user = await services.users.findByLogin(login)
    const { password, generated } = await readNewPassword(options)
    const revoked = await services.users.resetPassword(user.id, password)
    print(
      options,
      { revoked_key_pairs: revoked, ...(generated && { password }) },
      `The password of ${user.login} was changed. ${revokedText(revoked)}, and every session has ended.\n` +
        showPassword(generated, password),
    )
  })
}

function disableUser(login: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    await services.users.disable(user.id)
    const text =
      user.status === 'disabled'
        ? `${user.login} was disabled already.\n`
        : `${user.login} is disabled: tokens, key-pairs and log-ins are refused from now on.\n`
    print(options, await userById(services, user.id), text)
  })
}

function enableUser(login: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    await services.users.enable(user.id)
    const text =
      user.status === 'active'
        ? `${user.login} was enabled already.\n`
        : `${user.login} is enabled: key-pairs and unexpired tokens work again.\n`
    print(options, await userById(services, user.id), text)
  })
}

function expireUser(
  login: string,
  when: (now: number) => number | null,
  options: JsonOption,
): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const expiresAt = when(services.now())
    await services.users.setExpiry(user.id, expiresAt)
    const text =
      expiresAt === null
        ? `${user.login} does not expire.\n`
        : `${user.login} expires at ${time(expiresAt)}: tokens, key-pairs and log-ins are refused from then on.\n`
    print(options, await userById(services, user.id), text)
  })
}

function deleteUser(login: string, options: JsonOption & { yes?: boolean }): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const keyPairs = (await services.keyPairs.list(operator, user.id)).length
    const has = `${user.login} (${user.email}) with ${count(keyPairs, 'key-pair')}`
    if (!options.yes && !(await confirmed(`Delete ${has}? This cannot be undone.`, '--yes'))) {
      throw new CliError('Nothing was deleted.')
    }
    await services.users.delete(user.id)
    print(options, { deleted: true }, `User ${has} was deleted.\n`)
  })
}

async function userById(services: Services, userId: number) {
  return userData(await services.users.view(operator, userId))
}

function userData(user: User) {
  return {
    id: user.id,
    user_login: user.login,
    user_email: user.email,
    display_name: user.displayName,
    first_name: user.firstName,
    last_name: user.lastName,
    roles: user.roles,
    status: user.status,
    ...(user.expiresAt !== null && { expires_at: isoTime(user.expiresAt) }),
    created_at: isoTime(user.createdAt),
  }
}

function revokedText(revoked: number): string {
  if (revoked === 0) return 'There was no key-pair to revoke'
  return revoked === 1 ? '1 key-pair was revoked' : `${revoked} key-pairs were revoked`
}

function showPassword(generated: boolean, password: string): string {
  return generated ? `\n  Password  ${password}\n\nIt is shown this once.\n` : ''
}
