import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Environment } from '../../src/config.js'
import { spawnTwinkey } from '../helpers/spawn-service.js'
import { dialects } from '../helpers/dialects.js'
import { jwtSecret, keyEncryptionKey, type Service, startService } from '../helpers/with-service.js'

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
  /** Standard output, which must be one JSON document. */
  json(): any
}

export interface CliOptions {
  env?: Environment
  /** What is piped into it; nothing if absent. Never a terminal. */
  input?: string | Uint8Array
  /** Working directory; a new one if absent. */
  folder?: string
}

// A process each, and each of them compiles: more at once would only wait for one another.
const maxAtOnce = 2
let atOnce = 0
const waiting: (() => void)[] = []

/** Runs the real command in a process of its own. */
export async function runCli(
  args: readonly string[],
  { env = {}, input = '', folder }: CliOptions = {},
): Promise<CliResult> {
  if (atOnce >= maxAtOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  atOnce++
  const home = folder ?? mkdtempSync(join(tmpdir(), 'twinkey-cli-'))
  try {
    const child = spawnTwinkey(args, { DATA_DIR: home, ...env }, home)
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    // A command that fails before it reads leaves a pipe that nobody reads.
    child.stdin?.on('error', () => undefined).end(input)
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, stdout, stderr, json: () => JSON.parse(stdout) }
  } finally {
    if (folder === undefined) rmSync(home, { recursive: true, force: true })
    atOnce--
    waiting.shift()?.()
  }
}

export interface Cli {
  (...args: string[]): Promise<CliResult>
  /** With something on standard input. */
  piped(input: string | Uint8Array, ...args: string[]): Promise<CliResult>
}

/** The command line beside a running server: same database, same secret, same issuer. */
export function cliBeside(service: Service): Cli {
  const env = {
    DATABASE_URL: service.databaseUrl,
    JWT_SECRET: jwtSecret,
    KEY_ENCRYPTION_KEY: keyEncryptionKey,
    PUBLIC_URL: service.url,
  }
  const cli = (...args: string[]) => runCli(args, { env })
  return Object.assign(cli, {
    piped: (input: string | Uint8Array, ...args: string[]) => runCli(args, { env, input }),
  })
}

/** For what the database has no part in: `onEachDatabase`, on one of them. */
export function onSqlite(
  title: string,
  implementation: (t: ExecutionContext, service: Service) => Promise<void>,
): void {
  test(title, async (t) => {
    const [sqlite] = dialects
    if (sqlite?.name !== 'SQLite') throw new Error('SQLite is not the first dialect')
    const service = await startService(sqlite)
    try {
      await implementation(t, service)
    } finally {
      await service.close()
    }
  })
}
