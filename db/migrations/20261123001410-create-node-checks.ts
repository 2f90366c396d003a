import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

/** Questions of one node to the others: does each of them refuse this key? A row for each to answer. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'node_checks', (table) => {
    textTable(knex, table)
    binaryString(knex, table, 'node_id', 16).notNullable()
    binaryString(knex, table, 'check_id', 16).notNullable()
    binaryString(knex, table, 'api_key', 64).notNullable()
    table.bigInteger('asked_at').notNullable()
    table.integer('is_refused').unsigned()
    table.integer('read_us').unsigned()
    table.primary(['node_id', 'check_id'])
    table.index(['check_id'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('node_checks')
}
