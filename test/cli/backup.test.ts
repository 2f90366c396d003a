import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import Database from 'better-sqlite3'
import { restoreSqlite } from '../../src/store/backup.js'
import { clientOf } from '../helpers/with-nodes.js'
import { type SpawnedService, spawnService } from '../helpers/spawn-service.js'
import type { Pair } from '../helpers/with-service.js'
import { runCli } from './run-cli.js'

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-backup-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A service on a data directory that stays when it ends, with somebody logged in. */
async function startOn(DATA_DIR: string) {
  const service = await spawnService({ DATA_DIR, PUBLIC_URL: 'http://id.example.com' })
  return { service, DATA_DIR }
}

const env = (DATA_DIR: string) => ({ DATA_DIR, PUBLIC_URL: 'http://id.example.com' })

async function logIn(service: SpawnedService, password: string) {
  const response = await service.fetch('/login', {
    method: 'POST',
    body: new URLSearchParams({ user_login: 'admin', password }),
  })
  const { nonce } = (await response.json()) as { nonce: string }
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return { Cookie: cookie, 'X-WP-Nonce': nonce }
}

async function passwordOf(service: SpawnedService): Promise<string> {
  for (let i = 0; i < 400 && !service.output().includes('shown this once'); i++) await delay(25)
  return /Password {2}(\S{24})\n/.exec(service.output())?.[1] ?? ''
}

function assertWhole(t: ExecutionContext, file: string): void {
  const db = new Database(file, { readonly: true })
  t.is(db.pragma('integrity_check', { simple: true }), 'ok')
  t.deepEqual(db.pragma('foreign_key_check'), [])
  db.close()
}

test('a backup made under load has all that was answered before, and nothing revoked lives in it', async (t) => {
  t.timeout(180_000)
  await inFolder(async (folder) => {
    const { service } = await startOn(join(folder, 'first'))
    const headers = await logIn(service, await passwordOf(service))
    const client = clientOf(service.url, headers)
    const minted: Pair[] = []
    const revoked = new Set<string>()
    const asked = new Set<string>()
    let isOver = false
    const work = async () => {
      for (let turn = 0; !isOver; turn++) {
        const pair = await client.mint(1, `Turn ${turn}`)
        minted.push(pair)
        if (turn % 2 === 0) continue
        asked.add(pair.api_key)
        if ((await client.revoke(1, pair.api_key)).status === 200) revoked.add(pair.api_key)
      }
    }
    const working = [work(), work(), work()]
    while (revoked.size < 5) await delay(20)

    const file = join(folder, 'copy.sqlite')
    const before = { minted: [...minted], revoked: new Set(revoked) }
    const made = await runCli(['backup', '--with-secrets', '--json', file], {
      env: env(join(folder, 'first')),
    })
    t.is(made.code, 0, made.stderr)
    t.true(minted.length > before.minted.length, 'there were writes meanwhile')
    // Key-pairs that nobody has asked to revoke until the copy was made must live in it.
    const untouched = before.minted.filter(({ api_key }) => !asked.has(api_key))
    isOver = true
    await Promise.all(working)
    t.is(await service.stop(), 0, service.output())

    t.is(statSync(file).mode & 0o777, 0o600)
    t.is(made.json().bytes, statSync(file).size)
    t.deepEqual(made.json().secrets, ['jwt_secret'])
    t.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('copy')),
      ['copy.sqlite'],
    )
    assertWhole(t, file)

    const second = join(folder, 'second')
    const restored = await runCli(['restore', file], { env: env(second) })
    t.is(restored.code, 0, restored.stderr)
    t.regex(restored.stdout, /twinkey\.sqlite is now the backup of \d{4}-.*Z\.\n/)
    t.regex(restored.stdout, /jwt-secret is the backup's\.\n/)
    t.is(
      readFileSync(join(second, 'jwt-secret'), 'utf8'),
      readFileSync(join(folder, 'first', 'jwt-secret'), 'utf8'),
    )
    t.is(statSync(join(second, 'twinkey.sqlite')).mode & 0o777, 0o600)
    t.is(statSync(join(second, 'jwt-secret')).mode & 0o777, 0o600)
    t.false(
      readFileSync(join(second, 'twinkey.sqlite')).includes(
        readFileSync(join(second, 'jwt-secret'), 'utf8').trim(),
      ),
      'the secret is in its file only',
    )

    const copy = await startOn(second)
    const there = clientOf(copy.service.url)
    for (const pair of before.minted) {
      const { status, body } = await there.exchange(pair)
      if (before.revoked.has(pair.api_key)) {
        t.is(status, 403)
        t.is(body.code, 'rest_authentication_revoked_api_key')
      } else if (untouched.includes(pair)) {
        t.is(status, 200)
        t.is((await there.validate(body.access_token)).status, 200)
      }
    }
    t.is(await copy.service.stop(), 0)
    t.true(before.revoked.size >= 5 && untouched.length >= 5)
    assertWhole(t, join(second, 'twinkey.sqlite'))
  })
})

test('a restore touches no database in use, and none at all without --force', async (t) => {
  t.timeout(120_000)
  await inFolder(async (folder) => {
    const { service, DATA_DIR } = await startOn(join(folder, 'data'))
    const password = await passwordOf(service)
    const file = join(folder, 'copy.sqlite')
    const cli = (...args: string[]) => runCli(args, { env: env(DATA_DIR) })
    const made = await cli('backup', file)
    t.is(made.code, 0)
    t.regex(made.stdout, /does not hold the JWT secret nor the key-encryption key/)
    const again = await cli('backup', file)
    t.is(again.code, 1)
    t.is(
      again.stderr,
      `twinkey: ${file} exists. Choose another name, or replace it with --force.\n`,
    )
    t.is((await cli('backup', '--force', file)).code, 0)

    const headers = await logIn(service, password)
    const pair = await clientOf(service.url, headers).mint(1, 'After the backup')
    const unforced = await cli('restore', file)
    t.is(unforced.code, 1)
    t.regex(unforced.stderr, /exists\. With --force it is put aside/)
    const inUse = await cli('restore', '--force', file)
    t.is(inUse.code, 1)
    t.regex(
      inUse.stderr,
      /is in use\. Stop Twinkey first, with all its workers; nothing was changed\./,
    )
    t.is((await clientOf(service.url).exchange(pair)).status, 200, 'it serves as before')
    t.is(await service.stop(), 0)

    const done = await cli('restore', '--force', '--json', file)
    t.is(done.code, 0, done.stderr)
    const { kept, secrets, pending_migrations } = done.json()
    t.deepEqual([secrets, pending_migrations], [[], 0])
    const old = new Database(kept, { readonly: true })
    t.truthy(old.prepare('select 1 from key_pairs where api_key = ?').get(pair.api_key))
    old.close()
    t.deepEqual(
      readdirSync(DATA_DIR).sort(),
      ['jwt-secret', 'twinkey.sqlite', kept.split('/').at(-1)].sort(),
    )
    const back = await startOn(DATA_DIR)
    t.is((await clientOf(back.service.url).exchange(pair)).status, 403)
    t.true('Cookie' in (await logIn(back.service, password)))
    t.is(await back.service.stop(), 0)
  })
})

test('a file that is no good backup is refused, and nothing is changed', async (t) => {
  t.timeout(120_000)
  await inFolder(async (folder) => {
    const DATA_DIR = join(folder, 'data')
    mkdirSync(DATA_DIR)
    const file = join(folder, 'copy.sqlite')
    t.is((await runCli(['user', 'list'], { env: { DATA_DIR } })).code, 0)
    t.is((await runCli(['backup', file], { env: { DATA_DIR } })).code, 0)
    const live = readFileSync(join(DATA_DIR, 'twinkey.sqlite'))

    const bytes = readFileSync(file)
    const spoiled = (name: string, spoil: (copy: Buffer) => Buffer) => {
      writeFileSync(join(folder, name), spoil(Buffer.from(bytes)))
      return join(folder, name)
    }
    const foreign = join(folder, 'foreign.sqlite')
    new Database(foreign).exec('create table notes (text)').close()
    const newer = spoiled('newer.sqlite', (copy) => copy)
    new Database(newer)
      .exec("insert into migrations (name, batch) values ('20990101000000-from-the-future', 9)")
      .close()
    for (const [path, message] of [
      [join(folder, 'missing'), /There is no file/],
      [spoiled('text', () => Buffer.from('no database at all')), /no whole SQLite database/],
      [spoiled('cut', (copy) => copy.subarray(0, copy.length - 4096 * 3)), /no whole|is damaged/],
      [spoiled('torn', (copy) => copy.fill(0x5a, 4096 * 2, 4096 * 4)), /no whole|is damaged/],
      [foreign, /not one of Twinkey/],
      [newer, /newer version of Twinkey: this one does not know 20990101000000-from-the-future/],
    ] as const) {
      const live = join(DATA_DIR, 'twinkey.sqlite')
      const restoring = restoreSqlite(path, live, { replace: true, stamp: 'x' })
      await t.throwsAsync(restoring, { name: 'BackupError', message }, path)
    }
    t.deepEqual(readFileSync(join(DATA_DIR, 'twinkey.sqlite')), live)
    t.deepEqual(
      readdirSync(DATA_DIR).filter((name) => /tmp|before/.test(name)),
      [],
    )

    // What a restore is for: the live one is beyond reading.
    writeFileSync(join(DATA_DIR, 'twinkey.sqlite'), 'nothing that SQLite knows')
    const done = await runCli(['restore', '--force', file], { env: { DATA_DIR } })
    t.is(done.code, 0, done.stderr)
    assertWhole(t, join(DATA_DIR, 'twinkey.sqlite'))
    t.true(readdirSync(DATA_DIR).some((name) => name.includes('before-restore')))

    const none = await runCli(['backup', file, '--force'], {
      env: { DATA_DIR: join(folder, 'none') },
    })
    t.is(none.code, 1)
    t.regex(none.stderr, /There is no database at /)
    t.false(existsSync(join(folder, 'none')))
  })
})

test('for MySQL the right tool is named with its options, and no password', async (t) => {
  const DATABASE_URL = 'mysql://twinkey:hidden-word@db.example/twinkey'
  const backup = await runCli(['backup', 'x.sqlite'], { env: { DATABASE_URL } })
  t.is(backup.code, 1)
  t.regex(
    backup.stderr,
    /mariadb-dump --host=db\.example --port=3306 --user=twinkey --password --single-transaction /,
  )
  const restore = await runCli(['restore', 'x.sqlite'], { env: { DATABASE_URL } })
  t.is(restore.code, 1)
  t.regex(restore.stderr, /mariadb --host=db\.example .* twinkey < FILE/)
  t.false((backup.stderr + restore.stderr).includes('hidden-word'))
})
