/** MySQL refuses to look for anything else in an ASCII column. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/**
 * Whether `text` can be the value of a column of ours that holds ASCII: a login, an e-mail address, a
 * key. Nothing else needs a look-up; and MySQL would fail at it, or, as it ignores spaces at the end,
 * find "ada" when asked for "ada ".
 */
export function isAsciiValue(text: string): boolean {
  return isAscii(text) && !text.endsWith(' ')
}
