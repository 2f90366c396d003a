import type { Command } from 'commander'
import { operator } from '../../domain/actor.js'
import { hasSecondFactor, type SecondFactors } from '../../domain/second-factor.js'
import { withRuntime } from '../context.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { count } from '../text.js'

/** What an operator does about users' second factors. */
export function addSecondFactorCommands(user: Command): void {
  addJsonOption(user.command('reset-second-factor'))
    .summary('take away a second factor that was lost')
    .description(
      "Takes away a user's authenticator app, passkeys and recovery codes, and ends all sessions.",
    )
    .argument('<LOGIN>')
    .action(resetSecondFactor)
    .addHelpText(
      'after',
      `
For somebody who has lost the phone and the recovery codes. The password alone then opens the
account, until the user sets up a second factor again. Key-pairs and tokens stay.

Example:
  $ twinkey user reset-second-factor ada`,
    )

  addJsonOption(user.command('require-second-factor'))
    .summary("require a second factor for minting a user's key-pairs")
    .description("Refuses to mint or rotate this user's key-pairs without a second factor.")
    .argument('<LOGIN>')
    .option('--off', 'require it no more')
    .action(requireSecondFactor)
    .addHelpText(
      'after',
      `
REQUIRE_SECOND_FACTOR=minting says the same for everybody.

Examples:
  $ twinkey user require-second-factor ada
  $ twinkey user require-second-factor ada --off`,
    )
}

export function secondFactorData(factors: SecondFactors) {
  return {
    required: factors.isRequired,
    totp: factors.hasTotp,
    passkeys: factors.passkeys,
    recovery_codes: factors.recoveryCodes,
  }
}

/** @returns In words, e.g. `authenticator app, 2 passkeys; 9 recovery codes left`. */
export function describeSecondFactors(factors: SecondFactors): string {
  const duty = factors.isRequired ? '; required for minting' : ''
  if (!hasSecondFactor(factors)) return `none${duty}`
  const parts = [
    ...(factors.hasTotp ? ['authenticator app'] : []),
    ...(factors.passkeys > 0 ? [count(factors.passkeys, 'passkey')] : []),
  ]
  return `${parts.join(', ')}; ${count(factors.recoveryCodes, 'recovery code')} left${duty}`
}

function resetSecondFactor(login: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const before = await services.secondFactors.view(operator, user.id)
    await services.secondFactors.reset(operator, user.id)
    const text = hasSecondFactor(before)
      ? `The second factor of ${user.login} is gone (${describeSecondFactors(before)}), and every session has ended.\n`
      : `${user.login} had no second factor. Every session has ended.\n`
    print(options, { reset: hasSecondFactor(before) }, text)
  })
}

function requireSecondFactor(login: string, options: JsonOption & { off?: boolean }) {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const isRequired = !options.off
    await services.secondFactors.setRequired(operator, user.id, isRequired)
    const text = isRequired
      ? `${user.login} needs a second factor for minting from now on.\n`
      : `${user.login} is not asked to have a second factor any more.\n`
    print(options, { required: isRequired }, text)
  })
}
