// Names are whatever somebody typed, escape sequences and all; a terminal would obey those.
const unsafe =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}]/gu

/** @returns The text with everything that a terminal would obey or hide spelled out. */
export function visible(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** One JSON document on one line, as the HTTP surface sends it. */
export function json(value: unknown): string {
  // JSON leaves DEL, the C1 controls and the marks of direction as they are.
  const text = JSON.stringify(value).replace(unsafe, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
  return `${text}\n`
}

/** `2026-11-23 14:22:05Z`; `never` where there is no moment. */
export function time(seconds: number | null): string {
  return seconds === null ? 'never' : isoTime(seconds).replace('T', ' ')
}

/** ISO 8601, for JSON: `2026-11-23T14:22:05Z`. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

/** `2 key-pairs`, `1 key-pair`, `no key-pairs`. */
export function count(number: number, noun: string): string {
  return `${number === 0 ? 'no' : number} ${noun}${number === 1 ? '' : 's'}`
}

/** `7 days`, `3 hours`: in the largest unit that fits. */
export function duration(seconds: number): string {
  const units = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const
  for (const [size, noun] of units) {
    if (seconds >= size) return count(Math.round(seconds / size), noun)
  }
  return seconds === 0 ? '0 seconds' : count(seconds, 'second')
}

const maxCell = 48

/** Aligned columns under headings; an overlong cell is cut (`--json` has all of it). */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings, ...rows.map((row) => row.map((cell) => shorten(visible(cell))))]
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => width(row[column]))))
  return cells
    .map((row) => row.map((cell, column) => pad(cell, widths[column])).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

/** One field a line, with the values aligned. */
export function fields(pairs: readonly (readonly [label: string, value: string])[]): string {
  const labelWidth = Math.max(...pairs.map(([label]) => width(label)))
  return pairs.map(([label, value]) => `${pad(label, labelWidth)}  ${visible(value)}\n`).join('')
}

const segmenter = new Intl.Segmenter('en')
const wide =
  /\p{Emoji_Presentation}|\uFE0F|[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u

/** How many columns a terminal gives to a text, by its grapheme clusters. */
function width(text = ''): number {
  let columns = 0
  for (const { segment } of segmenter.segment(text)) columns += wide.test(segment) ? 2 : 1
  return columns
}

function pad(text: string, columns = 0): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)))
}

function shorten(text: string): string {
  if (width(text) <= maxCell) return text
  let kept = ''
  for (const { segment } of segmenter.segment(text)) {
    if (width(kept) + width(segment) >= maxCell) break
    kept += segment
  }
  return `${kept}…`
}
