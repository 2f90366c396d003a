import { CliError, exitCodes } from './failures.js'

/** Longest line that is read from standard input, in bytes: no secret of anybody's is longer. */
const maxBytes = 64 * 1024

export interface SecretSource {
  /** What it is, e.g. `password`. */
  what: string
  /** The option that reads standard input, e.g. `--password-stdin`. */
  option: string
  /** Whether that option was given. */
  fromStdin: boolean
  /** Ask twice: nobody sees what they type. */
  confirm?: boolean
  /** @returns What is wrong with what was typed, or `undefined`. */
  problem?: (secret: string) => string | undefined
  /** Another way out, for the message where there is nobody to ask. */
  alternative?: string
}

/**
 * Reads a secret from standard input or, with somebody at the terminal, asks for it. Never from an
 * argument: those are visible to every user of the machine and stay in the shell's history.
 *
 * @throws {CliError} if it can come from neither.
 */
export async function readSecret(source: SecretSource): Promise<string> {
  const { what, option, fromStdin, alternative } = source
  if (fromStdin) {
    if (process.stdin.isTTY) {
      throw new CliError(
        `${option} reads from a pipe or a file. Leave it out to be asked for the ${what}.`,
        exitCodes.usage,
      )
    }
    const secret = await readLine(what)
    if (secret === '') {
      throw new CliError(`There was no ${what} on standard input.`, exitCodes.usage)
    }
    return secret
  }
  if (!process.stdin.isTTY) {
    throw new CliError(
      `There is no terminal to ask for the ${what}. Pass it on standard input with ${option}${alternative ?? ''}.`,
      exitCodes.usage,
    )
  }
  return ask(source)
}

/** @returns All of standard input, which must be one line of text; its line break is dropped. */
async function readLine(what: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new CliError(`The ${what} on standard input is too long.`)
    chunks.push(chunk)
  }
  const text = decode(Buffer.concat(chunks), what).replace(/\r?\n$/, '')
  // A second line is a mistake somewhere else (the wrong file, a prompt of another program), and no
  // form could ever send such a password again.
  if (/[\r\n]/.test(text)) {
    throw new CliError(`The ${what} on standard input must be one line.`)
  }
  return text
}

function decode(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CliError(
      `The ${what} on standard input must be valid UTF-8.`,
      exitCodes.failed,
      cause,
    )
  }
}

async function ask({ what, confirm, problem }: SecretSource): Promise<string> {
  const { password } = await import('@inquirer/prompts')
  const validate = (value: string) => {
    if (value === '') return `Type the ${what}, or press Ctrl-C.`
    const found = problem?.(value)
    return found ? `The ${what} ${found}.` : true
  }
  const label = what.charAt(0).toUpperCase() + what.slice(1)
  const secret = await password({ message: `${label}:`, mask: '*', validate }, prompting)
  if (confirm) {
    await password(
      {
        message: `${label}, again:`,
        mask: '*',
        validate: (value) => value === secret || `That is not the ${what} typed above.`,
      },
      prompting,
    )
  }
  return secret
}

/** @throws {CliError} if there is nobody to ask, naming the option that answers instead. */
export async function confirmed(question: string, option: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CliError(`This asks for confirmation. Confirm it with ${option}.`, exitCodes.usage)
  }
  const { confirm } = await import('@inquirer/prompts')
  return confirm({ message: question, default: false }, prompting)
}

/** Standard output is for data, also when somebody has to be asked first. */
const prompting = { output: process.stderr }
