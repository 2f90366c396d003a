import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { migrationNames } from '../../db/migration-source.js'
import { migrate, pendingMigrations } from '../../src/store/migrate.js'
import { spawnTwinkey } from '../helpers/spawn-service.js'
import { onEachEmptyDatabase } from '../helpers/with-stores.js'

const onMariadb: typeof onEachEmptyDatabase = (title, implementation) =>
  onEachEmptyDatabase(title, implementation, 'MariaDB')

/** The schema as the database describes it, to compare two ways of getting there. */
async function describeSchema(db: Knex): Promise<string[]> {
  if (db.client.dialect === 'sqlite3') {
    const rows = await db('sqlite_master').whereNotNull('sql').orderBy('name').pluck('sql')
    return rows.map(String)
  }
  const [tables] = await db.raw('show tables')
  const names = tables.map((row: object) => String(Object.values(row)[0])).sort()
  const statements: string[] = []
  for (const name of names) {
    const [[row]] = await db.raw('show create table ??', [name])
    statements.push(String(row['Create Table']).replace(/ AUTO_INCREMENT=\d+/, ''))
  }
  return statements
}

onEachEmptyDatabase(
  'an empty database lacks every migration, a migrated one none',
  async (t, { open }) => {
    const db = open()
    t.deepEqual(await pendingMigrations(db), migrationNames)
    t.deepEqual(await migrate(db), migrationNames)
    t.deepEqual(await pendingMigrations(db), [])
    t.deepEqual(await migrate(db), [])
  },
)

onMariadb('eight nodes that migrate at once do it once between them', async (t, { open }) => {
  const nodes = Array.from({ length: 8 }, () => open())
  const done = await Promise.all(nodes.map((db) => migrate(db)))
  t.deepEqual(done.flat(), migrationNames)
  t.is(done.filter((names) => names.length > 0).length, 1)
  const [first] = nodes
  if (!first) return t.fail()
  t.deepEqual(await pendingMigrations(first), [])
  t.deepEqual(await first('migrations').orderBy('id').pluck('name'), migrationNames)
  t.deepEqual(await first('migrations_lock').pluck('is_locked'), [0])
})

// In processes of their own: a SQLite connection that waits for another blocks its whole process.
onEachEmptyDatabase('four processes that migrate at once all succeed', async (t, { url, open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-migrate-'))
  const ends = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = spawnTwinkey(['migrate'], { DATABASE_URL: url, DATA_DIR: folder }, folder)
      let errors = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        errors += chunk
      })
      child.stdout?.resume()
      const [code] = await once(child, 'close')
      return `${code} ${errors}`.trim()
    }),
  )
  rmSync(folder, { recursive: true, force: true })
  t.deepEqual(
    ends,
    Array.from({ length: 4 }, () => '0'),
  )
  const db = open()
  t.deepEqual(await pendingMigrations(db), [])
  t.deepEqual(await db('migrations').orderBy('id').pluck('name'), migrationNames)
})

onEachEmptyDatabase(
  'migrations can be undone and done again, to the same schema',
  async (t, { open }) => {
    const db = open()
    await migrate(db)
    const before = await describeSchema(db)
    t.true(before.length >= 4)
    await db.migrate.rollback(undefined, true)
    for (const table of ['users', 'key_pairs', 'sessions']) t.false(await db.schema.hasTable(table))
    t.deepEqual(await pendingMigrations(db), migrationNames)
    t.deepEqual(await migrate(db), migrationNames)
    t.deepEqual(await describeSchema(db), before)
  },
)

onEachEmptyDatabase('the smallest pool is enough to migrate', async (t, { open }) => {
  t.deepEqual(await migrate(open({ DATABASE_POOL_MAX: '2' })), migrationNames)
})

onEachEmptyDatabase(
  'a lock that a dead node left behind does not hold others up',
  async (t, { open }) => {
    const db = open()
    await migrate(db)
    await db.migrate.down()
    await db('migrations_lock').update({ is_locked: 1 })
    t.deepEqual(await migrate(open()), migrationNames.slice(-1))
    t.deepEqual(await db('migrations_lock').pluck('is_locked'), [0])
  },
)

// MySQL commits each statement of a migration at once, so whoever is killed leaves a half of it.
onMariadb(
  'a migration that was killed in the middle is completed by the next',
  async (t, context) => {
    const whole = context.open()
    await migrate(whole)
    const expected = await describeSchema(whole)
    await whole.migrate.rollback(undefined, true)
    t.deepEqual(await pendingMigrations(whole), migrationNames)
    await whole.raw('create table users (id int unsigned not null auto_increment primary key)')
    await migrate(whole)
    t.deepEqual(await describeSchema(whole), expected)
  },
)

onMariadb(
  'a table in use is kept, though the record of its migration is lost',
  async (t, { open }) => {
    const db = open()
    await migrate(db)
    await db('users').insert({
      user_login: 'ada',
      user_email: 'ada@sample.org',
      user_nicename: 'ada',
      display_name: 'Ada',
      roles: 'administrator',
      password_hash: 'hash',
      created_at: 1,
    })
    await db('migrations').delete()
    t.deepEqual(await migrate(db), migrationNames)
    t.deepEqual(await db('users').pluck('user_login'), ['ada'])
  },
)

onMariadb(
  'columns are compared as designed, whatever the database’s default',
  async (t, { open }) => {
    const db = open()
    await migrate(db)
    const [[{ fallback }]] = await db.raw('select @@collation_database as fallback')
    t.regex(fallback, /latin1/)
    const [rows] = await db.raw(
      `select concat(table_name, '.', column_name) as name, collation_name as collation
    from information_schema.columns
    where table_schema = database() and collation_name is not null
      and table_name in ('users', 'key_pairs', 'sessions')`,
    )
    const collations: Record<string, string> = {}
    for (const { name, collation } of rows) collations[name] = collation
    const text = 'utf8mb4_unicode_ci'
    t.deepEqual(collations, {
      'users.user_login': 'ascii_general_ci',
      'users.user_email': 'ascii_general_ci',
      'users.user_nicename': text,
      'users.display_name': text,
      'users.first_name': text,
      'users.last_name': text,
      'users.roles': text,
      'users.status': text,
      'users.password_hash': 'ascii_bin',
      'key_pairs.name': text,
      'key_pairs.api_key': 'ascii_bin',
      'key_pairs.secret_hash': 'ascii_bin',
      'key_pairs.hash_scheme': 'ascii_bin',
      'key_pairs.last_ip': 'ascii_bin',
      'key_pairs.revoked_reason': 'ascii_bin',
      'key_pairs.scopes': 'ascii_bin',
      'key_pairs.networks': 'ascii_bin',
      'key_pairs.description': text,
      'key_pairs.previous_hash': 'ascii_bin',
      'key_pairs.previous_scheme': 'ascii_bin',
      'sessions.id': 'ascii_bin',
      'sessions.ip': 'ascii_bin',
      'sessions.user_agent': text,
    })
    const [engines] = await db.raw(
      `select distinct engine from information_schema.tables
    where table_schema = database() and table_name in ('users', 'key_pairs', 'sessions')`,
    )
    t.deepEqual(
      engines.map(({ engine }: { engine: string }) => engine),
      ['InnoDB'],
    )
  },
)

onEachEmptyDatabase('times and ids are whole numbers in the database', async (t, { open }) => {
  const db = open()
  await migrate(db)
  for (const table of ['users', 'key_pairs', 'sessions']) {
    const columns = (await db(table).columnInfo()) as Record<string, { type: string }>
    const counted = Object.entries(columns).filter(([name]) => /(^id|_id|_at|_by)$/.test(name))
    t.true(counted.length > 1)
    for (const [name, { type }] of counted) {
      if (table === 'sessions' && name === 'id') continue
      t.regex(type, /^(big)?int(eger)?$/, `${table}.${name}`)
    }
  }
})
