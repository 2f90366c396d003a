import { ServiceError } from '../errors.js'
import { isUnavailable } from '../store/unavailable.js'
import { visible } from './text.js'

export const exitCodes = { ok: 0, failed: 1, usage: 2, configuration: 3, interrupted: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A failure of the command line itself, worded for the operator. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}

/** Failures that word themselves. By name, so that reporting them need not load the runtime. */
const expected: Record<string, ExitCode> = {
  ConfigError: exitCodes.configuration,
  SchemaError: exitCodes.configuration,
  MigrationLockError: exitCodes.failed,
  ListenError: exitCodes.failed,
  DatabaseFileError: exitCodes.failed,
  BackupError: exitCodes.failed,
  SigningKeyError: exitCodes.failed,
}

/** @returns The exit code, after telling the operator on standard error what went wrong. */
export function reportFailure(error: unknown): ExitCode {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  // Commander has printed its own errors already; help and version are "thrown" too.
  if (name === 'CommanderError') {
    const { exitCode } = error as Error & { exitCode: number }
    return exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  if (name === 'ExitPromptError') {
    warn('Interrupted; nothing was changed.')
    return exitCodes.interrupted
  }
  if (error instanceof CliError) {
    warn(message)
    return error.exitCode
  }
  const exitCode = expected[name]
  warn(exitCode === undefined ? describe(error) : message)
  return exitCode ?? exitCodes.failed
}

/** A remark for the operator: standard output is for data. */
export function warn(message: string): void {
  const lines = `twinkey: ${message}`.split('\n').map(visible)
  process.stderr.write(`${lines.join('\n')}\n`)
}

function describe(error: unknown): string {
  if (error instanceof ServiceError) {
    if (error.params) return describeParams(error.params)
    return error.cause === undefined
      ? error.message
      : `${error.message} (${reasonOf(error.cause) || 'no reason given'})`
  }
  if (isUnavailable(error)) return `The database cannot be used: ${reasonOf(error)}`
  if (isRefusal(error)) return `The database refused: ${reasonOf(error)}`
  if (isSystemError(error)) return error.message
  // A bug: whoever reports it needs to say where.
  return `This is a bug in Twinkey.\n${error instanceof Error ? error.stack : String(error)}`
}

/** What the parameters of the REST API are called on the command line. */
const parameterNames: Record<string, string> = {
  user_login: 'LOGIN',
  user_email: '--email',
  password: 'The password',
  display_name: '--display-name',
  first_name: '--first-name',
  last_name: '--last-name',
  name: 'NAME',
  expires_at: '--expires',
  scopes: '--scope',
  networks: '--network',
  description: '--description',
  overlap: '--overlap',
}

function describeParams(params: Record<string, string>): string {
  const sentences = Object.entries(params).map(
    ([name, problem]) => `${parameterNames[name] ?? name} ${problem}.`,
  )
  if (sentences.length === 1) return sentences.join()
  return ['Some values are not valid:', ...sentences.map((line) => `  - ${line}`)].join('\n')
}

/** The database's server answers, and does not let us in. */
function isRefusal(error: unknown): boolean {
  return /^ER_(.*DENIED|BAD_DB)/.test((error as NodeJS.ErrnoException).code ?? '')
}

/** What the operating system would not do, e.g. write into DATA_DIR; not a mistake of ours. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // What was tried on each address of a host name (`localhost` has two).
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(reasonOf).join('; ')
  }
  const { sqlMessage } = error as { sqlMessage?: unknown }
  return typeof sqlMessage === 'string' ? sqlMessage : error.message
}
