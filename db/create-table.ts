import type { Knex } from 'knex'

/**
 * Creates a table, as the only work of a migration.
 *
 * MySQL commits every statement of it at once: whoever is killed in the middle leaves a table without
 * its indexes, and no record of the migration. Such a table is empty, because nobody serves on an
 * unfinished schema, and is made anew. One with rows in it is whole (its record has been lost, as in
 * a partial restore) and is left alone.
 */
export async function createTable(
  knex: Knex,
  name: string,
  build: (table: Knex.CreateTableBuilder) => void,
): Promise<void> {
  if (await knex.schema.hasTable(name)) {
    if (await knex(name).first()) return
    try {
      await knex.schema.dropTable(name)
    } catch (error) {
      // A table of a later migration refers to it: it is whole, only nobody has used it yet.
      if (isReferenced(error)) return
      throw error
    }
  }
  await knex.schema.createTable(name, build)
}

function isReferenced(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ER_ROW_IS_REFERENCED_2' || code === 'ER_FK_CANNOT_DROP_PARENT'
}
