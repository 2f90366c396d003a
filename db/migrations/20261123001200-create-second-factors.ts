import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

export async function up(knex: Knex): Promise<void> {
  // One row for each user of whom there is something to say.
  await createTable(knex, 'second_factors', (table) => {
    textTable(knex, table)
    table.integer('user_id').unsigned().notNullable().primary()
    // An administrator's wish: without a second factor this user's key-pairs cannot be minted.
    table.boolean('is_required').notNullable().defaultTo(false)
    // Encrypted; one that is not confirmed has not proven to be in anybody's app yet.
    table.text('totp_secret')
    table.bigInteger('totp_confirmed_at')
    // Of the last code that was accepted: neither it nor one before it is accepted again.
    table.bigInteger('totp_last_step').notNullable().defaultTo(0)
    table.foreign('user_id').references('users.id').onDelete('CASCADE')
  })

  await createTable(knex, 'recovery_codes', (table) => {
    textTable(knex, table)
    table.integer('user_id').unsigned().notNullable()
    binaryString(knex, table, 'hash', 64).notNullable()
    table.bigInteger('used_at')
    table.primary(['user_id', 'hash'])
    table.foreign('user_id').references('users.id').onDelete('CASCADE')
  })

  await createTable(knex, 'passkeys', (table) => {
    textTable(knex, table)
    table.increments('id')
    table.integer('user_id').unsigned().notNullable()
    // Base64url of at most 1,023 bytes (WebAuthn, section 4).
    binaryString(knex, table, 'credential_id', 1364).notNullable().unique()
    table.text('public_key').notNullable()
    table.bigInteger('counter').notNullable()
    binaryString(knex, table, 'transports', 255).notNullable()
    table.string('name', 255).notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('last_used_at')
    table.foreign('user_id').references('users.id').onDelete('CASCADE')
    table.index(['user_id'])
  })

  await createTable(knex, 'passkey_challenges', (table) => {
    textTable(knex, table)
    binaryString(knex, table, 'challenge', 64).notNullable().primary()
    table.integer('user_id').unsigned().notNullable()
    binaryString(knex, table, 'purpose', 16).notNullable()
    // The session, or the log-in under way, that asked for it.
    binaryString(knex, table, 'holder', 64).notNullable()
    table.bigInteger('expires_at').notNullable()
    table.foreign('user_id').references('users.id').onDelete('CASCADE')
    table.index(['expires_at'])
  })

  await createTable(knex, 'pending_logins', (table) => {
    textTable(knex, table)
    binaryString(knex, table, 'id', 64).notNullable().primary()
    table.integer('user_id').unsigned().notNullable()
    // Of the password's hash: a log-in that began with another password leads nowhere.
    binaryString(knex, table, 'password_tag', 64).notNullable()
    table.bigInteger('expires_at').notNullable()
    table.foreign('user_id').references('users.id').onDelete('CASCADE')
    table.index(['expires_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'pending_logins',
    'passkey_challenges',
    'passkeys',
    'recovery_codes',
    'second_factors',
  ]) {
    await knex.schema.dropTableIfExists(table)
  }
}
