import { Command } from 'commander'
import { operator } from '../../domain/actor.js'
import { isWellFormedSecret } from '../../domain/key-pair.js'
import type { RegisteredToken } from '../../domain/registered-token.js'
import type { IssuedTokens } from '../../services/tokens.js'
import { withRuntime } from '../context.js'
import { exitCodes, warn } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { readSecret } from '../secrets.js'
import { duration, fields, isoTime, table, time } from '../text.js'
import { inspect, inspectionData, inspectionText } from '../token-inspection.js'

export function tokenCommand(): Command {
  const token = new Command('token')
    .summary('issue, explain, list and revoke tokens')
    .description('Exchanges a key-pair for tokens, explains a token, and revokes single ones.')

  addJsonOption(token.command('issue'))
    .summary('exchange a key-pair for tokens')
    .description('Exchanges a key-pair for an access token and a refresh token.')
    .argument('<API_KEY>', 'the public half; the secret is asked for')
    .option('--secret-stdin', 'read the secret from standard input')
    .action(issue)
    .addHelpText(
      'after',
      `
The same exchange as POST /wp-json/wp/v2/token, with the same answer under --json.

Examples:
  $ twinkey token issue API_KEY
  $ jq -r .api_secret backup-key.json | twinkey token issue API_KEY --secret-stdin --json`,
    )

  addJsonOption(token.command('inspect'))
    .summary('explain a token')
    .description(
      'Says what a token is, whose, until when, and whether it would be refused, and why.',
    )
    .action(inspectToken)
    .addHelpText(
      'after',
      `
Reads the token from standard input, or asks for it. The key-pair and the user are looked
up as for a request, but no use is recorded. Exits with 1 if the token would be refused.

Examples:
  $ twinkey token inspect
  $ printf %s "$TOKEN" | twinkey token inspect --json`,
    )

  addJsonOption(token.command('list'))
    .summary('list the revocable tokens of a key-pair')
    .description('Lists the tokens of a key-pair that can be revoked one by one, newest first.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .action(list)
    .addHelpText(
      'after',
      `
Those that were issued with is_revocable, until they expire. All others are on no list: they
die with their device or their key-pair.

Example:
  $ twinkey token list ada API_KEY`,
    )

  addJsonOption(token.command('revoke'))
    .summary('revoke one token')
    .description('Revokes one token of a key-pair, and nothing else.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .argument('<JTI>', 'the id of the token, as `token list` shows it')
    .action(revoke)
    .addHelpText(
      'after',
      `
Takes effect with the next request. A refresh token that came with it stays good.

Example:
  $ twinkey token revoke ada API_KEY 5d5c2a1e-6c3f-4a0e-9a53-0f4a2f9f3b7d

With --json: {"revoked":true}, or false if it had been revoked before.`,
    )
  return token
}

function list(login: string, apiKey: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const tokens = await services.registeredTokens.list(operator, user.id, apiKey)
    const rows = tokens.map((token) => [
      token.tokenId,
      token.description || '—',
      token.device ?? '—',
      time(token.issuedAt),
      time(token.expiresAt),
      time(token.lastUsedAt),
      token.lastIp ?? '—',
      token.revokedAt === null ? '—' : time(token.revokedAt),
    ])
    const headings = ['JTI', 'DESCRIPTION', 'DEVICE', 'ISSUED', 'EXPIRES', 'LAST USED', 'LAST IP']
    print(
      options,
      { tokens: tokens.map(tokenData) },
      rows.length === 0
        ? `${apiKey} has no revocable tokens.\n`
        : table([...headings, 'REVOKED'], rows),
    )
  })
}

function revoke(login: string, apiKey: string, jti: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const revoked = await services.registeredTokens.revoke(operator, user.id, apiKey, jti)
    const text = revoked ? `Token ${jti} is revoked.\n` : `Token ${jti} was revoked before.\n`
    print(options, { revoked }, text)
  })
}

function tokenData(token: RegisteredToken) {
  const iso = (seconds: number | null) => (seconds === null ? null : isoTime(seconds))
  return {
    jti: token.tokenId,
    description: token.description,
    device: token.device,
    issued_at: iso(token.issuedAt),
    expires_at: iso(token.expiresAt),
    last_used_at: iso(token.lastUsedAt),
    last_ip: token.lastIp,
    revoked_at: iso(token.revokedAt),
  }
}

interface IssueOptions extends JsonOption {
  secretStdin?: boolean
}

function issue(apiKey: string, options: IssueOptions): Promise<void> {
  return withRuntime(async ({ services }) => {
    const secret = await readSecret({
      what: 'API secret',
      option: '--secret-stdin',
      fromStdin: options.secretStdin ?? false,
    })
    // Imported secrets have forms of their own, so this cannot be more than a hint.
    if (secret.startsWith('twk_') && !isWellFormedSecret(secret)) {
      warn('The secret is mistyped or cut off: its check sum does not match.')
    }
    const tokens = await services.tokens.exchange(apiKey, secret, { ip: null })
    print(options, tokenAnswer(tokens), await tokenText(tokens))
  })
}

/** What POST /wp-json/wp/v2/token answers. */
function tokenAnswer({ accessToken, refreshToken, expiresIn, user, apiKey }: IssuedTokens) {
  return {
    access_token: accessToken,
    data: {
      user: {
        id: user.id,
        type: 'wp_user',
        user_login: user.login,
        user_email: user.email,
        api_key: apiKey,
      },
    },
    exp: expiresIn,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  }
}

async function tokenText({ user, apiKey, accessToken, refreshToken }: IssuedTokens) {
  // The tokens themselves say it best: their lifetimes need not be those of the configuration.
  const { decodeJwt } = await import('jose')
  const lines = (label: string, token: string) => {
    const { exp = 0 } = decodeJwt(token)
    return [
      [label, token],
      ['  until', `${time(exp)} (${duration(exp - now())})`],
    ] as const
  }
  return (
    `Tokens of ${user.login}, alive as long as key ${apiKey} is:\n\n` +
    fields([
      ...lines('Access token', accessToken),
      ...(refreshToken === undefined ? [] : lines('Refresh token', refreshToken)),
    ])
  )
}

function inspectToken(options: JsonOption): Promise<void> {
  return withRuntime(async ({ services, config }) => {
    const typed = await readSecret({
      what: 'token',
      option: 'standard input',
      fromStdin: !process.stdin.isTTY,
    })
    const inspection = await inspect(typed, { services, issuer: config.publicUrl, now })
    print(options, inspectionData(inspection), inspectionText(inspection))
    if (inspection.refusal) process.exitCode = exitCodes.failed
  })
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
