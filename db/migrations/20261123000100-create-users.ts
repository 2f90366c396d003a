import type { Knex } from 'knex'
import { binaryString, caselessString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'users', (table) => {
    textTable(knex, table)
    table.increments('id')
    caselessString(knex, table, 'user_login', 60).notNullable().unique()
    caselessString(knex, table, 'user_email', 254).notNullable().unique()
    table.string('user_nicename', 50).notNullable()
    table.string('display_name', 250).notNullable()
    table.string('first_name', 250).notNullable().defaultTo('')
    table.string('last_name', 250).notNullable().defaultTo('')
    table.string('roles', 255).notNullable()
    table.string('status', 16).notNullable().defaultTo('active')
    binaryString(knex, table, 'password_hash', 255).notNullable()
    table.bigInteger('created_at').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('users')
}
