import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

/** What the service has said, and signed, about the chain of the audit log. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'audit_checkpoints', (table) => {
    textTable(knex, table)
    table.bigInteger('seq').primary()
    binaryString(knex, table, 'hash', 43).notNullable()
    // Whether what came before it has been purged.
    binaryString(knex, table, 'kind', 16).notNullable()
    table.bigInteger('at').notNullable()
    binaryString(knex, table, 'key_id', 16).notNullable()
    binaryString(knex, table, 'signature', 43).notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('audit_checkpoints')
}
