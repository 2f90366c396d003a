/**
 * @param maxLength In characters (code points), as people and MySQL count them.
 * @returns What is wrong with a text that somebody typed, or `undefined`.
 */
export function textProblem(text: string, maxLength: number): string | undefined {
  if (text.includes('\0')) return 'must not contain NUL'
  // U+FFFD is what decoding leaves where bytes were not UTF-8.
  if (!text.isWellFormed() || text.includes('\uFFFD')) return 'must be valid UTF-8'
  if (text.length > maxLength && [...text].length > maxLength) {
    return `must have at most ${maxLength} characters`
  }
  return undefined
}
