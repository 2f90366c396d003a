import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

/** Access tokens that can be revoked one by one. Never the token itself, only its id. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'registered_tokens', (table) => {
    textTable(knex, table)
    table.increments('id')
    // The claim `jti`.
    binaryString(knex, table, 'token_id', 64).notNullable().unique()
    table.integer('key_pair_id').unsigned().notNullable()
    // Its name, if it has one: the device may be gone before the token is.
    table.string('device', 255)
    table.string('description', 1000).notNullable().defaultTo('')
    table.bigInteger('issued_at').notNullable()
    table.bigInteger('expires_at').notNullable()
    table.bigInteger('last_used_at')
    binaryString(knex, table, 'last_ip', 45)
    table.bigInteger('revoked_at')
    // Not a foreign key: who revoked it is history.
    table.integer('revoked_by').unsigned()
    table.foreign('key_pair_id').references('key_pairs.id').onDelete('CASCADE')
    table.index(['key_pair_id', 'id'])
    table.index(['expires_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('registered_tokens')
}
