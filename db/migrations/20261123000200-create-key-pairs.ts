import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'key_pairs', (table) => {
    textTable(knex, table)
    table.increments('id')
    table.integer('user_id').unsigned().notNullable()
    table.string('name', 255).notNullable()
    binaryString(knex, table, 'api_key', 64).notNullable().unique()
    binaryString(knex, table, 'secret_hash', 255).notNullable()
    binaryString(knex, table, 'hash_scheme', 16).notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('last_used_at')
    binaryString(knex, table, 'last_ip', 45)
    table.bigInteger('revoked_at')
    // Not a foreign key: who revoked it is history, and stays when that user is deleted.
    table.integer('revoked_by').unsigned()
    binaryString(knex, table, 'revoked_reason', 32)
    table.foreign('user_id').references('users.id').onDelete('CASCADE')
    table.index(['user_id', 'revoked_at', 'id'])
    table.index(['revoked_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('key_pairs')
}
