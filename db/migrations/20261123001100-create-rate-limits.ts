import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'rate_limits', (table) => {
    textTable(knex, table)
    binaryString(knex, table, 'id', 64).notNullable().primary()
    table.integer('consumed').unsigned().notNullable()
    table.bigInteger('expires_at').notNullable()
    table.index(['expires_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('rate_limits')
}
