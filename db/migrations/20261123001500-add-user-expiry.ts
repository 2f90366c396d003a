import type { Knex } from 'knex'
import { addColumns, type ColumnDefinitions, dropColumns } from '../add-columns.js'

/** From when on an account is refused; `null`: it does not expire. */
const columns: ColumnDefinitions = {
  expires_at: (_, table, name) => table.bigInteger(name),
}

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'users', columns)
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'users', columns)
}
