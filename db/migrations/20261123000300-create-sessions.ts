import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'sessions', (table) => {
    textTable(knex, table)
    binaryString(knex, table, 'id', 64).notNullable().primary()
    table.integer('user_id').unsigned().notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('expires_at').notNullable()
    binaryString(knex, table, 'ip', 45)
    table.string('user_agent', 255)
    table.foreign('user_id').references('users.id').onDelete('CASCADE')
    table.index(['user_id'])
    table.index(['expires_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('sessions')
}
