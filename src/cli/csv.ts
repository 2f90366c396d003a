import { visible } from './text.js'

/** What a spreadsheet takes for the beginning of a formula. */
const formula = /^[\s]*[=+\-@\t\r|%]/

/**
 * One line of CSV (RFC 4180), every field in quotes. A text that a spreadsheet would run gets an
 * apostrophe in front, by which the spreadsheet knows it for a text.
 */
export function csvLine(fields: readonly (string | number | boolean | null)[]): string {
  return `${fields.map(csvField).join(',')}\r\n`
}

function csvField(value: string | number | boolean | null): string {
  if (typeof value === 'number') return `"${value}"`
  const text = visible(String(value ?? ''))
  const safe = formula.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}
