import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'signing_keys', (table) => {
    textTable(knex, table)
    table.increments('id')
    // The thumbprint of RFC 7638: 43 characters of base64url.
    binaryString(knex, table, 'kid', 64).notNullable().unique()
    binaryString(knex, table, 'algorithm', 16).notNullable()
    table.text('public_jwk').notNullable()
    table.text('private_key').notNullable()
    binaryString(knex, table, 'state', 16).notNullable()
    // True for the one that signs, else null: of two that are to be the first, one has to wait.
    table.boolean('is_current').unique()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('activated_at')
    table.bigInteger('replaced_at')
    table.bigInteger('retired_at')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('signing_keys')
}
