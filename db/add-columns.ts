import type { Knex } from 'knex'

/** A column's name, and how a table gets it. */
export type ColumnDefinitions = Record<
  string,
  (knex: Knex, table: Knex.AlterTableBuilder, name: string) => void
>

/**
 * Adds columns to a table, as the only work of a migration. Those that are there already stay: MySQL
 * commits each statement at once, so whoever is killed in the middle leaves some of them.
 */
export async function addColumns(
  knex: Knex,
  table: string,
  columns: ColumnDefinitions,
): Promise<void> {
  const missing: string[] = []
  for (const name of Object.keys(columns)) {
    if (!(await knex.schema.hasColumn(table, name))) missing.push(name)
  }
  if (missing.length === 0) return
  await knex.schema.alterTable(table, (builder) => {
    for (const name of missing) columns[name]?.(knex, builder, name)
  })
}

/** Undoes {@link addColumns}. knex itself would copy the whole table on SQLite. */
export async function dropColumns(
  knex: Knex,
  table: string,
  columns: ColumnDefinitions,
): Promise<void> {
  for (const name of Object.keys(columns)) {
    if (await knex.schema.hasColumn(table, name)) {
      await knex.raw('alter table ?? drop column ??', [table, name])
    }
  }
}
