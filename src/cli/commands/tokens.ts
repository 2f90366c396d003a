import { Command } from 'commander'
import { isWellFormedSecret } from '../../domain/key-pair.js'
import type { IssuedTokens } from '../../services/tokens.js'
import { withRuntime } from '../context.js'
import { exitCodes, warn } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { readSecret } from '../secrets.js'
import { duration, fields, time } from '../text.js'
import { inspect, inspectionData, inspectionText } from '../token-inspection.js'

export function tokenCommand(): Command {
  const token = new Command('token')
    .summary('issue tokens, explain a token')
    .description('Exchanges a key-pair for tokens, and explains a token.')

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
  return token
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
