import type { Knex } from 'knex'
import { addColumns, type ColumnDefinitions, dropColumns } from '../add-columns.js'

const columns: ColumnDefinitions = {
  // When this browser last proved the second factor.
  second_factor_at: (_, table, name) => table.bigInteger(name),
}

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'sessions', columns)
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'sessions', columns)
}
