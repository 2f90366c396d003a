import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

/** What has happened. No foreign keys: the log outlives whom and what it is about. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'audit_log', (table) => {
    textTable(knex, table)
    table.bigIncrements('id')
    binaryString(knex, table, 'uid', 16).notNullable().unique()
    table.bigInteger('at').notNullable()
    binaryString(knex, table, 'action', 48).notNullable()
    binaryString(knex, table, 'outcome', 16).notNullable()
    binaryString(knex, table, 'actor_kind', 16).notNullable()
    table.integer('actor_id').unsigned()
    table.string('actor_name', 60)
    table.integer('user_id').unsigned()
    binaryString(knex, table, 'api_key', 64)
    binaryString(knex, table, 'ip', 45)
    table.string('user_agent', 255)
    binaryString(knex, table, 'request_id', 64)
    binaryString(knex, table, 'reason', 64)
    table.integer('times').unsigned().notNullable()
    // JSON.
    table.text('details').notNullable()
    binaryString(knex, table, 'key_id', 16).notNullable()
    binaryString(knex, table, 'mac', 43).notNullable()
    // Null until the entry has its place in the chain; set once.
    table.bigInteger('seq').unique()
    binaryString(knex, table, 'hash', 43)
    table.index(['user_id', 'id'])
    table.index(['api_key', 'id'])
    table.index(['request_id'])
    table.index(['at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('audit_log')
}
