import type { Knex } from 'knex'
import { addColumns, type ColumnDefinitions, dropColumns } from '../add-columns.js'
import { binaryString } from '../columns.js'

/** What limits a key-pair. NULL limits nothing. */
const columns: ColumnDefinitions = {
  expires_at: (_, table, name) => table.bigInteger(name),
  // Both are lists, separated by spaces.
  scopes: (knex, table, name) => binaryString(knex, table, name, 4000),
  networks: (knex, table, name) => binaryString(knex, table, name, 4000),
  description: (_, table, name) => table.string(name, 1000).notNullable().defaultTo(''),
}

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'key_pairs', columns)
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'key_pairs', columns)
}
