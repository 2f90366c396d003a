import type { Knex } from 'knex'
import { migrationNames } from '../../db/migration-source.js'
import { migrate, pendingMigrations } from '../../src/store/migrate.js'
import { createRuntime } from '../../src/runtime.js'
import { bearer, onEachDatabase } from '../helpers/with-service.js'
import { onEachEmptyDatabase } from '../helpers/with-stores.js'

// Nodes of two versions run side by side on one database while a fleet is upgraded: the new one migrates
// first, and the old ones go on with a schema that is newer than they are.

interface Column {
  type: string
  nullable: boolean
  defaultValue: unknown
}

/** By table and column. */
async function readColumns(db: Knex): Promise<Map<string, Map<string, Column>>> {
  const isSqlite = db.client.dialect === 'sqlite3'
  const names: string[] = isSqlite
    ? await db('sqlite_master')
        .where('type', 'table')
        .whereNot('name', 'like', 'sqlite_%')
        .pluck('name')
    : (await db.raw('show tables'))[0].map((row: object) => String(Object.values(row)[0]))
  const tables = new Map<string, Map<string, Column>>()
  for (const name of names) {
    const info = (await db(name).columnInfo()) as unknown as Record<string, Column>
    tables.set(name, new Map(Object.entries(info)))
  }
  return tables
}

/** What about `after` an old version could not live with. */
function contractions(
  before: Map<string, Map<string, Column>>,
  after: Map<string, Map<string, Column>>,
): string[] {
  const problems: string[] = []
  for (const [table, columns] of before) {
    const now = after.get(table)
    if (!now) problems.push(`${table} is gone`)
    for (const [name, column] of columns) {
      const { type, nullable } = now?.get(name) ?? {}
      if (type !== column.type) problems.push(`${table}.${name} was ${column.type}, is ${type}`)
      if (column.nullable && !nullable) problems.push(`${table}.${name} has to be there now`)
    }
    for (const [name, { nullable, defaultValue }] of now ?? []) {
      if (columns.has(name) || nullable || defaultValue !== null) continue
      problems.push(`an old version does not know what to put into ${table}.${name}`)
    }
  }
  return problems
}

onEachEmptyDatabase('no migration takes anything away from an old version', async (t, { open }) => {
  const db = open()
  let before = await readColumns(db)
  for (const name of migrationNames) {
    await db.migrate.up()
    const after = await readColumns(db)
    t.deepEqual(contractions(before, after), [], name)
    before = after
  }
  t.deepEqual(await pendingMigrations(db), [])
  // This test can tell.
  await db.schema.alterTable('users', (table) => table.dropColumn('first_name'))
  await db.schema.alterTable('sessions', (table) => {
    table.string('added', 8).notNullable().defaultTo('')
  })
  t.deepEqual(contractions(before, await readColumns(db)), [
    `users.first_name was varchar, is undefined`,
  ])
})

/** What the next version might add, in each of the ways in which a migration may. */
async function migrateAhead(db: Knex): Promise<void> {
  for (const table of ['users', 'key_pairs', 'sessions', 'devices', 'audit_log', 'nodes']) {
    await db.schema.alterTable(table, (columns) => {
      columns.string('added_text', 20).notNullable().defaultTo('some')
      columns.integer('added_number')
    })
  }
  await db.schema.createTable('added', (table) => {
    table.increments('id')
    table.integer('user_id').unsigned()
  })
  await db('migrations').insert({ name: '29991231000000-of-the-next-version', batch: 99 })
}

onEachDatabase(
  'a node goes on while the next version migrates its database',
  async (t, service) => {
    const { db, config } = service.runtime
    const ada = await service.createUser('ada')
    const session = await service.logIn('ada')
    const seen: number[] = []
    let isOver = false
    async function work(): Promise<void> {
      while (!isOver) {
        const path = `/wp/v2/key-pair/${ada.id}`
        const { headers } = session
        const minted = await service.json(path, { headers, fields: { name: 'Test' } })
        const { api_secret, row } = minted.body
        const pair = { api_key: row.api_key, api_secret }
        const fields = { ...pair, device: 'phone' }
        const exchanged = await service.json('/wp/v2/token', { fields })
        const { access_token, refresh_token } = exchanged.body
        const refreshed = await service.json('/wp/v2/token', { fields: { refresh_token } })
        const valid = await service.json('/wp/v2/token/validate', { headers: bearer(access_token) })
        const revoked = await service.json(`${path}/${row.api_key}/revoke`, {
          method: 'DELETE',
          headers,
        })
        const dead = await service.json('/wp/v2/token/validate', { headers: bearer(access_token) })
        seen.push(...[minted, exchanged, refreshed, valid, revoked].map(({ status }) => status))
        t.is(dead.body.code, 'rest_authentication_revoked_api_key')
      }
    }
    const working = work()
    const until = async (count: number) => {
      while (seen.length < count) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await until(20)
    await migrateAhead(db)
    await until(seen.length + 20)
    isOver = true
    await working
    t.deepEqual([...new Set(seen)], [200])
    t.is((await service.json('/readyz')).status, 200)

    // A node of the old version that is started anew, and one that is told to migrate.
    t.deepEqual(await migrate(db), [])
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    for (const mayMigrate of [false, true]) {
      const runtime = await createRuntime(config, { logger, migrate: mayMigrate })
      t.is(await runtime.services.readiness(), 'ready')
      await runtime.close()
    }
  },
)
