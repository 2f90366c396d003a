import { type Command, Option } from 'commander'
import { readSecret } from './secrets.js'

export interface PasswordOptions {
  passwordStdin?: boolean
  generatePassword?: boolean
}

export function addPasswordOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--password-stdin', 'read the password from standard input').conflicts(
        'generatePassword',
      ),
    )
    .addOption(new Option('--generate-password', 'make a random password and print it once'))
}

/** A new password: made here, or from standard input, or typed twice. */
export async function readNewPassword(
  options: PasswordOptions,
): Promise<{ password: string; generated: boolean }> {
  const { generatePassword, passwordProblem } = await import('../domain/password.js')
  if (options.generatePassword) return { password: generatePassword(), generated: true }
  const password = await readSecret({
    what: 'password',
    option: '--password-stdin',
    fromStdin: options.passwordStdin ?? false,
    confirm: true,
    problem: passwordProblem,
    alternative: ', or use --generate-password',
  })
  return { password, generated: false }
}
