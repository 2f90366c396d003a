import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

/** One row: where the chain of the audit log ends, and which node goes on with it. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'audit_head', (table) => {
    textTable(knex, table)
    table.integer('id').unsigned().primary()
    table.bigInteger('seq').notNullable()
    binaryString(knex, table, 'hash', 43).notNullable()
    table.bigInteger('at').notNullable()
    binaryString(knex, table, 'key_id', 16).notNullable()
    binaryString(knex, table, 'signature', 43).notNullable()
    table.bigInteger('checkpoint_seq').notNullable()
    table.bigInteger('checkpoint_at').notNullable()
    // A lease: whoever holds it seals until then, and others may afterwards.
    binaryString(knex, table, 'holder', 32).notNullable()
    table.bigInteger('held_until').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('audit_head')
}
