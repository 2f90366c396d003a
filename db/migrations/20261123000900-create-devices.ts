import type { Knex } from 'knex'
import { binaryString, textTable } from '../columns.js'
import { createTable } from '../create-table.js'

/** A device of a key-pair, and its one chain of refresh tokens. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'devices', (table) => {
    textTable(knex, table)
    table.increments('id')
    table.integer('key_pair_id').unsigned().notNullable()
    table.string('name', 255).notNullable()
    // SHA-256 of the name: MySQL would take `a` and `a ` for the same, in any collation of ours.
    binaryString(knex, table, 'name_hash', 43).notNullable()
    // Random; another one whenever the device starts over, so that no token of before is found.
    binaryString(knex, table, 'chain', 32).notNullable().unique()
    // How often the refresh token was rotated: the one with this number is the one that is good.
    table.integer('generation').unsigned().notNullable()
    // When that one was issued, until when it is good, and to whom.
    table.bigInteger('issued_at').notNullable()
    table.bigInteger('refresh_expires_at').notNullable()
    binaryString(knex, table, 'issued_ip', 45)
    // No token of the chain lives longer.
    table.bigInteger('expires_at').notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('started_at').notNullable()
    // Of the secret that was exchanged: the chain dies with it.
    table.integer('secret_version').unsigned().notNullable()
    table.bigInteger('last_used_at').notNullable()
    binaryString(knex, table, 'last_ip', 45)
    table.string('user_agent', 255)
    table.bigInteger('ended_at')
    // Not a foreign key: who ended it is history.
    table.integer('ended_by').unsigned()
    binaryString(knex, table, 'ended_reason', 32)
    // A replaced refresh token that was used once more: when, from where, and who had its successor.
    table.bigInteger('incident_at')
    binaryString(knex, table, 'incident_ip', 45)
    binaryString(knex, table, 'incident_issued_ip', 45)
    table.foreign('key_pair_id').references('key_pairs.id').onDelete('CASCADE')
    table.unique(['key_pair_id', 'name_hash'])
    table.index(['expires_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('devices')
}
