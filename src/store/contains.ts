import type { Knex } from 'knex'
import { isAscii } from './ascii.js'

const asciiColumns = new Set(['user_login', 'user_email', 'api_key'])

/** Adds: one of `columns` contains `text`, literally. */
export function contains(where: Knex.QueryBuilder, columns: readonly string[], text: string): void {
  const able = isAscii(text) ? columns : columns.filter((column) => !asciiColumns.has(column))
  // `!` because MySQL and SQLite disagree about what a backslash in a literal means.
  const pattern = `%${text.replace(/[!%_]/g, (character) => `!${character}`)}%`
  for (const column of able) where.orWhereRaw("?? like ? escape '!'", [column, pattern])
}
