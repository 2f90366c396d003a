import type { Knex } from 'knex'

const isMySql = (knex: Knex): boolean => knex.client.dialect === 'mysql'

/**
 * A string compared byte for byte: keys and hashes. SQLite compares so by default; MySQL's default
 * collations would find `1ABC` when asked for `1abc`.
 */
export function binaryString(
  knex: Knex,
  table: Knex.TableBuilder,
  name: string,
  length: number,
): Knex.ColumnBuilder {
  const column = table.string(name, length)
  return isMySql(knex) ? column.collate('ascii_bin') : column
}

/** An ASCII string that is unique, and found, without regard to case: logins and e-mails. */
export function caselessString(
  knex: Knex,
  table: Knex.CreateTableBuilder,
  name: string,
  length: number,
): Knex.ColumnBuilder {
  return isMySql(knex)
    ? table.string(name, length).collate('ascii_general_ci')
    : table.specificType(name, `varchar(${length}) collate nocase`)
}

/** What people type, emoji included. */
export function textTable(knex: Knex, table: Knex.CreateTableBuilder): void {
  if (!isMySql(knex)) return
  table.engine('InnoDB')
  table.charset('utf8mb4')
  table.collate('utf8mb4_unicode_ci')
}
