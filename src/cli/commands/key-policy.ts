import { type Command, InvalidArgumentError } from 'commander'
import { operator } from '../../domain/actor.js'
import type { KeyPair } from '../../domain/key-pair.js'
import { type KeyPairPolicy, parseMoment } from '../../domain/key-pair-policy.js'
import { withRuntime } from '../context.js'
import { CliError, exitCodes } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { duration, fields, isoTime, time, visible } from '../text.js'

export interface PolicyOptions {
  expires?: (now: number) => number | null
  scope?: string[]
  network?: string[]
  description?: string
  requireDevice?: boolean
}

export function addPolicyOptions(command: Command): Command {
  return command
    .option('--expires <WHEN>', 'after 30d or 12h, on 2027-01-31 (UTC), or never', readExpiry)
    .option('--scope <NAME>', 'the most its tokens may do; repeatable; "" for everything', collect)
    .option('--network <CIDR>', 'where it may be used; repeatable; "" for everywhere', collect)
    .option('--require-device <YES>', 'only with a device whose tokens rotate: yes or no', readYes)
    .option('--description <TEXT>', 'for people')
}

/** What the options say; nothing of what they do not. */
export function readPolicyOptions(options: PolicyOptions, now: number): Partial<KeyPairPolicy> {
  const { expires, scope, network, requireDevice, description } = options
  return {
    ...(expires && { expiresAt: expires(now) }),
    ...(scope && { scopes: scope.length > 0 ? scope : null }),
    ...(network && { networks: network.length > 0 ? network : null }),
    ...(requireDevice !== undefined && { requireDevice }),
    ...(description !== undefined && { description }),
  }
}

export function addPolicyCommands(key: Command): void {
  addPolicyOptions(addJsonOption(key.command('limit')))
    .summary('limit a key-pair')
    .description('Changes when a key-pair expires, what it may do and from where.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .action(limit)
    .addHelpText(
      'after',
      `
Takes effect with the next request, for tokens that were made before too. What no option
names stays as it is.

Examples:
  $ twinkey key limit ada API_KEY --expires 30d --network 203.0.113.0/24
  $ twinkey key limit ada API_KEY --expires never --network ""`,
    )

  addJsonOption(key.command('rotate'))
    .summary('give a key-pair another secret')
    .description('Gives a key-pair another secret and prints it, this once.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .option('--overlap <TIME>', 'how long the old one stays good: 24h, 7d, up to 30d', readTime, 0)
    .action(rotate)
    .addHelpText(
      'after',
      `
With the old secret die the tokens that were made with it. Without --overlap that is at
once, as it has to be after a leak. All else about the key-pair stays as it is.

Example:
  $ twinkey key rotate ada API_KEY --overlap 24h

With --json: {"name":"…","api_key":"…","api_secret":"…","old_secret_until":"…"}`,
    )
}

function limit(login: string, apiKey: string, options: JsonOption & PolicyOptions): Promise<void> {
  return withRuntime(async ({ services }) => {
    const changes = readPolicyOptions(options, services.now())
    if (Object.keys(changes).length === 0) {
      throw new CliError('Say what to change, e.g. --expires 30d.', exitCodes.usage)
    }
    const user = await services.users.findByLogin(login)
    const keyPair = await services.keyPairs.change(operator, user.id, apiKey, changes)
    const heading = `Key-pair "${visible(keyPair.name)}" of ${user.login}:\n\n`
    const data = { name: keyPair.name, api_key: apiKey, ...policyData(keyPair) }
    print(options, data, heading + policyText(keyPair))
  })
}

function rotate(
  login: string,
  apiKey: string,
  options: JsonOption & { overlap: number },
): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const rotated = await services.keyPairs.rotate(operator, user.id, apiKey, options.overlap)
    const { keyPair, apiSecret } = rotated
    const until = keyPair.previousSecret?.expiresAt ?? null
    const old =
      until === null
        ? 'The old secret is dead, and so are all tokens made with it.'
        : `The old secret and its tokens are good until ${time(until)}, for ${duration(options.overlap)}.`
    print(
      options,
      {
        name: keyPair.name,
        api_key: apiKey,
        api_secret: apiSecret,
        old_secret_until: until === null ? null : isoTime(until),
      },
      `Another secret for key-pair "${visible(keyPair.name)}" of ${user.login}:\n\n` +
        fields([
          ['  api_key', apiKey],
          ['  api_secret', apiSecret],
        ]) +
        `\nIt is shown this once. ${old}\n`,
    )
  })
}

/** What limits a key-pair, for JSON: only what does. */
export function policyData(keyPair: KeyPair) {
  const { expiresAt, scopes, networks, description, previousSecret, secretUsedAt } = keyPair
  const iso = (seconds: number | null) => (seconds === null ? null : isoTime(seconds))
  return {
    ...(description !== '' && { description }),
    ...(expiresAt !== null && { expires_at: isoTime(expiresAt) }),
    ...(scopes !== null && { scopes }),
    ...(networks !== null && { networks }),
    ...(keyPair.requireDevice && { require_device: true }),
    ...(previousSecret && {
      secrets: [
        { status: 'current', last_used_at: iso(secretUsedAt) },
        {
          status: 'previous',
          last_used_at: iso(previousSecret.usedAt),
          expires_at: isoTime(previousSecret.expiresAt),
        },
      ],
    }),
  }
}

/** Columns of `key list`, each only where some pair has something to show in it. */
export const policyColumns: [heading: string, cell: (keyPair: KeyPair) => string | undefined][] = [
  ['EXPIRES', ({ expiresAt }) => (expiresAt === null ? undefined : time(expiresAt))],
  ['SCOPES', ({ scopes }) => scopes?.join(' ')],
  ['NETWORKS', ({ networks }) => networks?.join(' ')],
  ['DEVICE', ({ requireDevice }) => (requireDevice ? 'required' : undefined)],
  [
    'OLD SECRET USED',
    ({ previousSecret }) => (previousSecret ? time(previousSecret.usedAt) : undefined),
  ],
]

function policyText({ expiresAt, scopes, networks, requireDevice, description }: KeyPair): string {
  return fields([
    ['  Expires', time(expiresAt)],
    ['  Scopes', scopes?.join(' ') ?? 'all'],
    ['  Networks', networks?.join(' ') ?? 'all'],
    ['  Device', requireDevice ? 'required' : 'optional'],
    ['  Description', description || '—'],
  ])
}

/** @returns The moment, as soon as it is known what time it is. */
export function readExpiry(text: string): (now: number) => number | null {
  const seconds = parseTime(text)
  if (seconds !== undefined && /\D/.test(text)) return (now) => now + seconds
  const moment = parseMoment(text)
  if (moment === undefined) {
    throw new InvalidArgumentError('It is like 30d, 12h, 2027-01-31 or never.')
  }
  return () => moment
}

function readYes(text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new InvalidArgumentError('It is yes or no.')
  return text === 'yes'
}

function readTime(text: string): number {
  const seconds = parseTime(text)
  if (seconds === undefined) throw new InvalidArgumentError('It is like 24h, 7d, 90m or 0.')
  return seconds
}

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, '': 1 }

function parseTime(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * (units[unit] ?? 1)
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split(/[\s,]+/).filter((item) => item !== '')]
}
