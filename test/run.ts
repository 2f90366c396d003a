/**
 * The test command: starts what the suites share, says loudly what is missing, runs ava.
 * TEST_REQUIRE=mariadb,chromium,… makes a missing program a failure instead of a skipped suite.
 */
import { spawn } from 'node:child_process'
import { findBinary } from './helpers/binaries.js'
import { galeraLibrary } from './helpers/galera.js'
import { mariadbBinary, startMariadb } from './helpers/mariadb-server.js'
import { canMountTmpfs } from './helpers/tmpfs.js'

const programs: Record<string, string | undefined> = {
  mariadb: process.env.TEST_MARIADB_URL ?? mariadbBinary,
  chromium: findBinary('chromium'),
  nginx: findBinary('nginx'),
  caddy: findBinary('caddy'),
  haproxy: findBinary('haproxy'),
  tmpfs: canMountTmpfs() ? 'mount' : undefined,
  galera: galeraLibrary,
}
const required = (process.env.TEST_REQUIRE ?? '').split(',').filter((name) => name !== '')
const missing = Object.keys(programs).filter((name) => !programs[name])
const unmet = required.filter((name) => !programs[name])

if (missing.length > 0) {
  const line = '*'.repeat(78)
  console.error(
    `${line}\n*  NOT INSTALLED, OR NOT ALLOWED: ${missing.join(', ')}. The suites that need it are SKIPPED.\n${line}`,
  )
}
if (unmet.length > 0) {
  console.error(`TEST_REQUIRE asks for ${unmet.join(', ')}: failing.`)
  process.exit(1)
}

const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: 'test' }
const shared = mariadbBinary && !env.TEST_MARIADB_URL ? await startMariadb() : undefined
if (shared) env.TEST_MARIADB_URL = shared.url

const args = ['node_modules/ava/entrypoints/cli.mjs', ...process.argv.slice(2)]
const ava = spawn(process.execPath, args, { stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ava.kill(signal))
const code = await new Promise<number>((resolve) => ava.once('exit', (code) => resolve(code ?? 1)))
await shared?.remove()
process.exit(code)
