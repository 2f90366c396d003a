import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../src/config.js'
import { operator } from '../src/domain/actor.js'
import type { KeyPair } from '../src/domain/key-pair.js'
import { generateSecret } from '../src/domain/signing-secret.js'
import type { User } from '../src/domain/user.js'
import { createRuntime, type Runtime } from '../src/runtime.js'
import { freePort } from '../test/helpers/mariadb-server.js'

/** Twinkey as an operator installs it: a program from the build and an embedded database. */
export interface Installation {
  port: number
  /** Starts the program, as `npm start` does. */
  start(): ChildProcess
  remove(): void
}

/** Its only user, and a key-pair of theirs. */
export interface Content {
  runtime: Runtime
  user: User
  keyPair: KeyPair
  apiSecret: string
}

/** @param prepare Fills the database, before anything serves it. */
export async function install<T>(
  prepare: (content: Content) => Promise<T>,
): Promise<{ installation: Installation; prepared: T }> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-installation-'))
  const port = await freePort()
  const env = {
    DATABASE_URL: `sqlite:${join(folder, 'twinkey.sqlite')}`,
    DATA_DIR: folder,
    JWT_SECRET: generateSecret(),
    PUBLIC_URL: 'http://twinkey.example',
    PORT: String(port),
    LOG_LEVEL: 'warn',
  }
  const logger = { debug() {}, info() {}, warn: console.warn, error: console.error }
  const runtime = await createRuntime(loadConfig(env), { logger, migrate: true })
  const user = await runtime.services.users.create({
    login: 'load',
    email: 'load@example.com',
    password: generateSecret(),
    role: 'subscriber',
  })
  const minted = await runtime.services.keyPairs.mint(operator, user.id, 'Load')
  const prepared = await prepare({ runtime, user, ...minted })
  await runtime.close()
  const cli = fileURLToPath(new URL('../dist/src/cli/index.js', import.meta.url))
  return {
    prepared,
    installation: {
      port,
      start: () =>
        spawn(process.execPath, ['--max-semi-space-size=8', cli, 'serve'], {
          env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
          stdio: ['ignore', 'ignore', 'inherit'],
        }),
      remove: () => rmSync(folder, { recursive: true }),
    },
  }
}
