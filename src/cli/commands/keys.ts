import { Command } from 'commander'
import { operator } from '../../domain/actor.js'
import type { KeyPair } from '../../domain/key-pair.js'
import { withRuntime } from '../context.js'
import { CliError, warn } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { count, fields, isoTime, table, time, visible } from '../text.js'
import {
  addPolicyCommands,
  addPolicyOptions,
  type PolicyOptions,
  policyColumns,
  policyData,
  readPolicyOptions,
} from './key-policy.js'

export function keyCommand(): Command {
  const key = new Command('key')
    .summary('mint, list, limit, rotate, rename and revoke key-pairs')
    .description('Mints, lists, limits, rotates, renames and revokes the key-pairs of a user.')

  addPolicyOptions(addJsonOption(key.command('mint')))
    .summary('mint a key-pair')
    .description('Mints a key-pair and prints its secret, this once: only a hash of it is stored.')
    .argument('<LOGIN>', 'whose it is')
    .argument('<NAME>', 'what it is for, e.g. "Backup script"')
    .action(mint)
    .addHelpText(
      'after',
      `
Examples:
  $ twinkey key mint ada "Backup script"
  $ twinkey key mint ada "Backup script" --expires 90d --network 203.0.113.0/24
  $ twinkey key mint ada "Backup script" --json > backup-key.json

With --json: {"name":"…","api_key":"…","api_secret":"…"}`,
    )

  addJsonOption(key.command('list'))
    .summary("list a user's key-pairs")
    .description("Lists a user's key-pairs, newest first, with the last use of each.")
    .argument('<LOGIN>')
    .option('-a, --all', 'also those that have been revoked')
    .action(list)
    .addHelpText(
      'after',
      `
Examples:
  $ twinkey key list ada --all
  $ twinkey key list ada --json | jq -r '.key_pairs[] | select(.last_used_at == null) | .name'`,
    )

  addPolicyCommands(key)

  addJsonOption(key.command('rename'))
    .summary('rename a key-pair')
    .description('Gives a key-pair another name. Nothing else about it changes.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .argument('<NAME>', 'the new name')
    .action(rename)
    .addHelpText('after', '\nExample:\n  $ twinkey key rename ada API_KEY "Nightly backup"')

  addJsonOption(key.command('revoke'))
    .summary('revoke a key-pair')
    .description('Revokes a key-pair, and with it every token that was made from it.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .action(revoke)
    .addHelpText(
      'after',
      `
Takes effect with the next request, on every node, and cannot be undone. Revoking a pair
again does no harm.

Example:
  $ twinkey key revoke ada API_KEY

With --json: {"revoked":true}, or false if it had been revoked before.`,
    )

  addJsonOption(key.command('revoke-all'))
    .summary("revoke all of a user's key-pairs")
    .description("Revokes all of a user's key-pairs, and every token that was made from them.")
    .argument('<LOGIN>')
    .action(revokeAll)
    .addHelpText(
      'after',
      '\nExample:\n  $ twinkey key revoke-all ada\n\nWith --json: {"revoked":3}, how many there were.',
    )
  return key
}

function mint(login: string, name: string, options: JsonOption & PolicyOptions): Promise<void> {
  return withRuntime(async ({ services, config }) => {
    const user = await services.users.findByLogin(login)
    const policy = readPolicyOptions(options, services.now())
    const minted = await services.keyPairs.mint(operator, user.id, name, { policy })
    const { keyPair, apiSecret } = minted
    const { apiKey } = keyPair
    print(
      options,
      { name: keyPair.name, api_key: apiKey, api_secret: apiSecret, ...policyData(keyPair) },
      `Key-pair "${visible(keyPair.name)}" of ${user.login}:\n\n` +
        fields([
          ['  api_key', apiKey],
          ['  api_secret', apiSecret],
        ]) +
        `\nThe secret is shown this once. Exchange the pair for tokens with\n\n` +
        `  curl -F api_key=${apiKey} -F api_secret=… \\\n    ${config.publicUrl}/wp-json/wp/v2/token\n`,
    )
    if (user.status === 'disabled') {
      warn(`${user.login} is disabled, and so is this key-pair until \`user enable\`.`)
    }
  })
}

function list(login: string, options: JsonOption & { all?: boolean }): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const includeRevoked = options.all ?? false
    const keyPairs = await services.keyPairs.list(operator, user.id, { includeRevoked })
    const limits = policyColumns.filter(([, cell]) => keyPairs.some((pair) => cell(pair)))
    const headings = ['NAME', 'API KEY', 'CREATED', 'LAST USED', 'LAST IP']
    headings.push(...limits.map(([heading]) => heading))
    const rows = keyPairs.map((keyPair) => [
      keyPair.name,
      keyPair.apiKey,
      time(keyPair.createdAt),
      time(keyPair.lastUsedAt),
      keyPair.lastIp ?? '—',
      ...limits.map(([, cell]) => cell(keyPair) ?? '—'),
      ...(includeRevoked ? [keyPair.revokedAt === null ? '—' : time(keyPair.revokedAt)] : []),
    ])
    print(
      options,
      { key_pairs: keyPairs.map(keyPairData) },
      rows.length === 0
        ? `${user.login} has no key-pairs${includeRevoked ? '' : ' that are active'}.\n`
        : table(includeRevoked ? [...headings, 'REVOKED'] : headings, rows),
    )
  })
}

function rename(login: string, apiKey: string, name: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const keyPair = await services.keyPairs.rename(operator, user.id, apiKey, name)
    print(options, keyPairData(keyPair), `${apiKey} is now called "${visible(keyPair.name)}".\n`)
  })
}

function revoke(login: string, apiKey: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const revoked = await services.keyPairs.revoke(operator, user.id, apiKey)
    // Read afterwards, to tell what is dead already from what never was.
    const keyPairs = await services.keyPairs.list(operator, user.id, { includeRevoked: true })
    const keyPair = keyPairs.find((candidate) => candidate.apiKey === apiKey)
    if (!keyPair) throw new CliError(`${user.login} has no key-pair ${apiKey}.`)
    const name = visible(keyPair.name)
    const text = revoked
      ? `Key-pair "${name}" is revoked, with every token made from it.\n`
      : `Key-pair "${name}" was revoked before, at ${time(keyPair.revokedAt)}.\n`
    print(options, { revoked }, text)
  })
}

function revokeAll(login: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const revoked = await services.keyPairs.revokeAll(operator, user.id)
    const text =
      revoked === 0
        ? `${user.login} has no key-pairs that are active.\n`
        : `${count(revoked, 'key-pair')} of ${user.login} ${revoked === 1 ? 'is' : 'are'} revoked, with every token made from ${revoked === 1 ? 'it' : 'them'}.\n`
    print(options, { revoked }, text)
  })
}

function keyPairData(keyPair: KeyPair) {
  const iso = (seconds: number | null) => (seconds === null ? null : isoTime(seconds))
  return {
    name: keyPair.name,
    api_key: keyPair.apiKey,
    created_at: iso(keyPair.createdAt),
    last_used_at: iso(keyPair.lastUsedAt),
    last_ip: keyPair.lastIp,
    revoked_at: iso(keyPair.revokedAt),
    ...policyData(keyPair),
  }
}
