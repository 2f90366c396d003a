import type { Knex } from 'knex'
import { createTable } from '../create-table.js'

/** Exchanges and refreshes a key-pair and day, for the picture on the profile page. */
export async function up(knex: Knex): Promise<void> {
  await createTable(knex, 'key_pair_usage', (table) => {
    // Not a foreign key: it would lock the key-pair's row on every write, against its revocation, and
    // one deleted pair would fail the whole statement. Rows of the deleted are purged with the old.
    table.integer('key_pair_id').unsigned().notNullable()
    // Days since the Unix epoch, in UTC.
    table.integer('day').unsigned().notNullable()
    table.integer('exchanges').unsigned().notNullable()
    table.primary(['key_pair_id', 'day'])
    table.index(['day'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('key_pair_usage')
}
