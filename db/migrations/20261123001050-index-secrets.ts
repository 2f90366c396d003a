import type { Knex } from 'knex'
import { addIndexes, dropIndexes, type IndexDefinitions } from '../add-indexes.js'

/** Key-pairs are found by a secret alone where its owner is named instead of the API key. */
const indexes: IndexDefinitions = {
  key_pairs_secret_hash_index: ['secret_hash'],
  key_pairs_previous_hash_index: ['previous_hash'],
}

export async function up(knex: Knex): Promise<void> {
  await addIndexes(knex, 'key_pairs', indexes)
}

export async function down(knex: Knex): Promise<void> {
  await dropIndexes(knex, 'key_pairs', indexes)
}
