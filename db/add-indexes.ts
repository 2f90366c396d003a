import type { Knex } from 'knex'

/** An index's name, and the columns it is of. */
export type IndexDefinitions = Record<string, readonly string[]>

/** Adds indexes to a table, as the only work of a migration. Those that are there already stay. */
export async function addIndexes(
  knex: Knex,
  table: string,
  indexes: IndexDefinitions,
): Promise<void> {
  for (const [name, columns] of Object.entries(indexes)) {
    if (await hasIndex(knex, table, name)) continue
    await knex.schema.alterTable(table, (builder) => void builder.index([...columns], name))
  }
}

/** Undoes {@link addIndexes}. */
export async function dropIndexes(
  knex: Knex,
  table: string,
  indexes: IndexDefinitions,
): Promise<void> {
  for (const [name, columns] of Object.entries(indexes)) {
    if (!(await hasIndex(knex, table, name))) continue
    await knex.schema.alterTable(table, (builder) => void builder.dropIndex([...columns], name))
  }
}

async function hasIndex(knex: Knex, table: string, name: string): Promise<boolean> {
  if (knex.client.dialect === 'mysql') {
    const [rows] = await knex.raw('show index from ?? where key_name = ?', [table, name])
    return rows.length > 0
  }
  return (await knex('sqlite_master').where({ type: 'index', name }).first('name')) !== undefined
}
