import type { Knex } from 'knex'
import { addColumns, type ColumnDefinitions, dropColumns } from '../add-columns.js'

/** Whether a key-pair may be exchanged for the tokens of a device only. */
const columns: ColumnDefinitions = {
  require_device: (_, table, name) => table.boolean(name).notNullable().defaultTo(false),
}

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'key_pairs', columns)
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'key_pairs', columns)
}
