import { Argument, Command, Option } from 'commander'
import {
  type KeyAlgorithm,
  keyAlgorithms,
  type SigningAlgorithm,
  type SigningKey,
  signingAlgorithms,
} from '../../domain/signing-key.js'
import type { Runtime } from '../../runtime.js'
import { withRuntime } from '../context.js'
import { warn } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { duration, isoTime, table, time } from '../text.js'

export function signingKeysCommand(): Command {
  const keys = new Command('keys')
    .summary('list, generate, rotate and retire signing keys')
    .description(
      'The keys that sign tokens, so that others can verify them. Without any, tokens are signed with the secret (HS256), which only Twinkey itself can verify.',
    )

  addJsonOption(keys.command('list'))
    .summary('list the signing keys')
    .description('Lists the signing keys, oldest first, and what each of them is doing.')
    .action(list)
    .addHelpText(
      'after',
      `
States:
  next      published in /.well-known/jwks.json, signs nothing yet
  current   signs tokens
  previous  signs no more; its tokens are good until they expire
  retired   its tokens are refused

Example:
  $ twinkey keys list`,
    )

  addJsonOption(keys.command('generate'))
    .summary('make the next key, and publish it')
    .description(
      'Makes a key that signs nothing yet. Others find it in /.well-known/jwks.json, so that they know it by the time that `keys rotate` lets it sign.',
    )
    .addOption(
      new Option('--alg <ALGORITHM>', 'what it signs with').choices(keyAlgorithms).default('ES256'),
    )
    .action(generate)
    .addHelpText('after', '\nExample:\n  $ twinkey keys generate --alg EdDSA')

  addJsonOption(keys.command('rotate'))
    .summary('let the next key sign, or a new one')
    .description(
      'Lets the next key sign tokens; makes one if there is none. No token is refused: those of the key before stay good until they expire, or until `keys retire`.',
    )
    .addOption(
      new Option('--alg <ALGORITHM>', 'what to sign with; HS256 is the secret').choices(
        signingAlgorithms,
      ),
    )
    .action(rotate)
    .addHelpText(
      'after',
      `
Examples:
  $ twinkey keys rotate                a new key with the algorithm of the one before
  $ twinkey keys rotate --alg ES256
  $ twinkey keys rotate --alg HS256    back to the secret`,
    )

  addJsonOption(keys.command('retire'))
    .summary("refuse a key's tokens")
    .description(
      'Refuses all tokens that a key has signed, on all nodes within two seconds, and forgets its private half. This cannot be undone.',
    )
    .addArgument(new Argument('<KID>', 'the key, as `keys list` shows it'))
    .action(retire)
    .addHelpText(
      'after',
      `
For a key that has leaked: rotate first, as the current key cannot be retired.

Example:
  $ twinkey keys rotate && twinkey keys retire KID`,
    )
  return keys
}

function list(options: JsonOption): Promise<void> {
  return withRuntime(async ({ services, config }) => {
    const keys = await services.signingKeys.list()
    const headings = ['KID', 'ALG', 'STATE', 'CREATED', 'SIGNS FROM', 'TO']
    const rows = keys.map((key) => [
      key.kid,
      key.algorithm,
      key.state,
      time(key.createdAt),
      moment(key.activatedAt),
      moment(key.replacedAt),
    ])
    const isSecret = !keys.some((key) => key.state === 'current')
    const now = services.now()
    const over = keys.filter((key) => expiryOfTokens(key, config.accessTokenTtl) < now)
    print(
      options,
      { signing_algorithm: algorithmOf(keys), keys: keys.map(keyData) },
      `${rows.length === 0 ? '' : `${table(headings, rows)}\n`}${
        isSecret ? 'Tokens are signed with the secret (HS256).\n' : ''
      }${over.map((key) => `No token of ${key.kid} is alive any more: it can be retired.\n`).join('')}`,
    )
  })
}

function generate(options: JsonOption & { alg: KeyAlgorithm }): Promise<void> {
  return withRuntime(async (runtime) => {
    warnOfOwnKey(runtime)
    const key = await runtime.services.signingKeys.generate(options.alg)
    print(
      options,
      keyData(key),
      `Key ${key.kid} (${key.algorithm}) is published, and signs nothing yet.\n` +
        'Let it sign with `twinkey keys rotate` when those who verify tokens know it.\n',
    )
  })
}

function rotate(options: JsonOption & { alg?: SigningAlgorithm }): Promise<void> {
  return withRuntime(async (runtime) => {
    const { services, config } = runtime
    if (options.alg !== 'HS256') warnOfOwnKey(runtime)
    const { current, previous } = await services.signingKeys.rotate(options.alg)
    const what = current ? `key ${current.kid} (${current.algorithm})` : 'the secret (HS256)'
    const from = current ? ` from ${time(current.activatedAt)} on` : ''
    const ttl = duration(config.accessTokenTtl)
    print(
      options,
      {
        current: current ? keyData(current) : null,
        previous: previous ? keyData(previous) : null,
      },
      `Tokens are signed with ${what}${from}.\n${
        previous
          ? `Those of key ${previous.kid} stay good; the last of them expires in ${ttl}.\n`
          : ''
      }`,
    )
  })
}

function retire(kid: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const key = await services.signingKeys.retire(kid)
    print(
      options,
      keyData(key),
      `Key ${key.kid} is retired: its tokens are refused on all nodes within two seconds.\n`,
    )
  })
}

/** Without one that is configured, each node would encrypt, and decrypt, with a key of its own. */
function warnOfOwnKey({ config }: Runtime): void {
  if (config.keyEncryptionKey || config.database.dialect === 'sqlite') return
  warn(
    `The private key is encrypted with the one in ${config.dataDir}. ` +
      'Other nodes on this database cannot read it: give all of them the same KEY_ENCRYPTION_KEY.',
  )
}

function moment(seconds: number | null): string {
  return seconds === null ? '—' : time(seconds)
}

/** When the last of a previous key's tokens expires. */
function expiryOfTokens(key: SigningKey, accessTokenTtl: number): number {
  if (key.state !== 'previous' || key.replacedAt === null) return Infinity
  return key.replacedAt + accessTokenTtl
}

function algorithmOf(keys: readonly SigningKey[]): SigningAlgorithm {
  return keys.find((key) => key.state === 'current')?.algorithm ?? 'HS256'
}

function keyData(key: SigningKey) {
  const iso = (seconds: number | null) => (seconds === null ? null : isoTime(seconds))
  return {
    kid: key.kid,
    alg: key.algorithm,
    state: key.state,
    created_at: iso(key.createdAt),
    activated_at: iso(key.activatedAt),
    replaced_at: iso(key.replacedAt),
    retired_at: iso(key.retiredAt),
  }
}
