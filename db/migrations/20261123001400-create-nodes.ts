import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

/** The processes that serve on this database; each writes its own row only. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'nodes', (table) => {
    textTable(knex, table)
    binaryString(knex, table, 'id', 16).primary()
    table.string('name', 255).notNullable()
    table.string('version', 64).notNullable()
    table.integer('started_at').unsigned().notNullable()
    // Milliseconds, by the clock of the database: a sign of life is measured by no clock of a node.
    table.bigInteger('seen_at').notNullable()
    table.integer('read_us').unsigned().notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('nodes')
}
