import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import Database from 'better-sqlite3'
import { operator } from '../../src/domain/actor.js'
import { loadConfig } from '../../src/config.js'
import { createRuntime } from '../../src/runtime.js'
import { runCli } from '../cli/run-cli.js'
import { type Dialect, dialects } from '../helpers/dialects.js'
import { canMountTmpfs, mountTmpfs } from '../helpers/tmpfs.js'
import { bearer, jwtSecret, type Service, startService } from '../helpers/with-service.js'

const [sqlite] = dialects as [Dialect]
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const registerWithTmpfs = canMountTmpfs() ? test : test.skip

/** A database in a folder that is there already. */
const inFolder = (folder: string): Dialect => ({
  name: 'SQLite',
  isAvailable: true,
  create: async () => ({ url: `sqlite:${join(folder, 'twinkey.sqlite')}`, remove: async () => {} }),
})

/** A service with a pair that lives, one that is revoked, and somebody logged in. */
async function prepare(service: Service) {
  const user = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const pair = await service.mint(user.id)
  const dead = await service.mint(user.id)
  const { access_token } = await service.exchange(pair)
  const deadToken = (await service.exchange(dead)).access_token
  await service.runtime.services.keyPairs.revoke(operator, user.id, dead.api_key)
  await service.runtime.services.usage.flush()
  const path = `/wp/v2/key-pair/${user.id}`
  return {
    pair,
    listed: async () =>
      (await service.json(`${path}?status=all`, { headers })).body.length as number,
    mint: () => service.json(path, { headers, json: { name: 'x'.repeat(200) } }),
    revoke: () => service.json(`${path}/${pair.api_key}/revoke`, { method: 'DELETE', headers }),
    check: () => service.json('/wp/v2/users/me', { headers: bearer(access_token) }),
    checkDead: () => service.json('/wp/v2/users/me', { headers: bearer(deadToken) }),
  }
}

function assertUnavailable(
  t: ExecutionContext,
  answer: Awaited<ReturnType<Service['json']>>,
): void {
  t.is(answer.status, 503, JSON.stringify(answer.body))
  t.is(answer.body.code, 'rest_service_unavailable')
  t.is(answer.headers.get('Retry-After'), '2')
}

function assertWhole(t: ExecutionContext, file: string): void {
  const db = new Database(file)
  t.is(db.pragma('integrity_check', { simple: true }), 'ok')
  t.deepEqual(db.pragma('foreign_key_check'), [])
  db.close()
}

const fileOf = (service: Service) => service.databaseUrl.replace('sqlite:', '')

for (const [what, spoil] of [
  [
    'is something else',
    (path: string) => writeFileSync(path, 'Dear diary, this is no database.\n'),
  ],
  ['has a torn schema', (path: string) => overwrite(path, 100, 3000)],
] as const) {
  test(`the start on a file that ${what} says so and overwrites nothing`, async (t) => {
    t.timeout(60_000)
    const folder = mkdtempSync(join(tmpdir(), 'twinkey-file-'))
    try {
      const filename = join(folder, 'twinkey.sqlite')
      const config = loadConfig({ DATA_DIR: folder, JWT_SECRET: jwtSecret })
      await (await createRuntime(config, { logger, migrate: true })).close()
      spoil(filename)
      const before = readFileSync(filename)
      const { code, stdout, stderr } = await runCli(['serve'], {
        env: { DATA_DIR: folder, JWT_SECRET: jwtSecret },
      })
      t.deepEqual([code, stdout], [1, ''])
      t.true(
        stderr.startsWith(`twinkey: The database ${filename} is no whole SQLite database (`),
        stderr,
      )
      t.regex(stderr, /It was left as it is\..*`twinkey restore FILE --force`/)
      t.deepEqual(readFileSync(filename), before)
      t.deepEqual(readdirSync(folder), ['twinkey.sqlite'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

test('a file that is damaged while it is served is 503, not 500, and lets nothing revoked through', async (t) => {
  const service = await startService(sqlite)
  try {
    const world = await prepare(service)
    await service.runtime.db.raw('pragma wal_checkpoint(truncate)')
    const file = fileOf(service)
    overwrite(file, 4096, statSync(file).size - 4096)
    // A commit elsewhere has every connection read its pages anew.
    const other = new Database(file)
    other.pragma('user_version = 7')
    other.close()
    for (const answer of [await world.check(), await world.mint(), await world.revoke()]) {
      assertUnavailable(t, answer)
    }
    const { status } = await world.checkDead()
    t.true(status === 401 || status === 403 || status === 503, `${status}`)
    t.is((await service.json('/healthz')).status, 200)
    t.is((await service.json('/readyz')).status, 503)
    t.false(service.log().includes(world.pair.api_secret))
  } finally {
    await service.close()
  }
})

test('a database that cannot grow refuses what needs room with 503, and recovers', async (t) => {
  const service = await startService(sqlite)
  try {
    const world = await prepare(service)
    const { db } = service.runtime
    const [{ page_count: pages }] = await db.raw('pragma page_count')
    await db.raw(`pragma max_page_count = ${pages}`)
    let minted = await world.listed()
    let answer = await world.mint()
    // The pages that there are have room for a few more.
    for (; answer.status === 200; answer = await world.mint()) minted++
    assertUnavailable(t, answer)
    t.is((await world.check()).status, 200)
    t.is((await world.checkDead()).status, 403)
    t.is(await world.listed(), minted, 'what was refused is not there')
    // The audit log's entry of a revocation may need a page, or find room on one that there is.
    const revoked = await world.revoke()
    if (revoked.status === 200) t.is((await world.check()).status, 403)
    else assertUnavailable(t, revoked)
    await db.raw(`pragma max_page_count = ${pages + 1000}`)
    t.is((await world.revoke()).status, 200)
    t.is((await world.check()).status, 403)
    t.is((await world.mint()).status, 200)
    t.is(await world.listed(), minted + 1)
    t.notRegex(service.log(), /rest_internal_error|"level":60/)
    assertWhole(t, fileOf(service))
  } finally {
    await service.close()
  }
})

registerWithTmpfs(
  'a full disk is 503 for what must be written, never half, and over when there is room',
  async (t) => {
    const disk = mountTmpfs('3m')
    const service = await startService(inFolder(disk.folder))
    try {
      const world = await prepare(service)
      let minted = await world.listed()
      fill(join(disk.folder, 'ballast'))
      let answer = await world.mint()
      for (; answer.status === 200; answer = await world.mint()) minted++
      assertUnavailable(t, answer)
      t.is((await world.check()).status, 200)
      t.is((await world.checkDead()).status, 403)
      const revoked = await world.revoke()
      if (revoked.status === 200) t.is((await world.check()).status, 403)
      else assertUnavailable(t, revoked)
      t.is(await world.listed(), minted)

      rmSync(join(disk.folder, 'ballast'))
      t.is((await world.mint()).status, 200)
      t.is((await world.revoke()).status, 200)
      t.is((await world.check()).status, 403)
      t.is(await world.listed(), minted + 1)
      await service.runtime.services.usage.flush()
      assertWhole(t, fileOf(service))
      t.notRegex(service.log(), /rest_internal_error|"level":60/)
    } finally {
      await service.close()
      disk.remove()
    }
  },
)

registerWithTmpfs(
  'a read-only disk ends the start with the reason, and is left as it is',
  async (t) => {
    const disk = mountTmpfs('16m')
    try {
      const file = join(disk.folder, 'twinkey.sqlite')
      const env = { DATABASE_URL: `sqlite:${file}`, JWT_SECRET: jwtSecret }
      await (await createRuntime(loadConfig(env), { logger, migrate: true })).close()
      const before = readFileSync(file)
      disk.makeReadOnly()
      const { code, stderr } = await runCli(['serve'], { env })
      t.is(code, 1)
      t.regex(stderr, /twinkey\.sqlite cannot be (written to|opened) by this user.* make the file/)
      t.deepEqual(readFileSync(file), before)
      t.deepEqual(readdirSync(disk.folder), ['twinkey.sqlite'])
      disk.makeWritable()
      assertWhole(t, file)
    } finally {
      disk.remove()
    }
  },
)

function overwrite(path: string, from: number, length: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(length, 0x5a), 0, length, from)
  closeSync(file)
}

/** Writes until there is no room any more. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (const size of [65_536, 4096, 512]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    }
  } finally {
    closeSync(file)
  }
}
