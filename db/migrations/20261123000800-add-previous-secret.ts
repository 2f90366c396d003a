import type { Knex } from 'knex'
import { addColumns, type ColumnDefinitions, dropColumns } from '../add-columns.js'
import { binaryString } from '../columns.js'

/** A key-pair's second secret, while a rotation's overlap lasts. */
const columns: ColumnDefinitions = {
  // Counts rotations. Tokens name the secret they were made with by it.
  secret_version: (_, table, name) => table.integer(name).unsigned().notNullable().defaultTo(0),
  secret_used_at: (_, table, name) => table.bigInteger(name),
  previous_hash: (knex, table, name) => binaryString(knex, table, name, 255),
  previous_scheme: (knex, table, name) => binaryString(knex, table, name, 16),
  previous_expires_at: (_, table, name) => table.bigInteger(name),
  previous_used_at: (_, table, name) => table.bigInteger(name),
}

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'key_pairs', columns)
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'key_pairs', columns)
}
