import type { Result } from './attack.js'

const heads = ['attack', 'expectation', 'seen', 'verdict'] as const

/** @returns A table for a terminal, and below it what was found. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ attack, seen, verdict }) => [
    attack.name,
    attack.expectation,
    seen,
    verdict,
  ])
  const all = [[...heads], ...rows]
  const widths = heads.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [lines[0], rule, ...lines.slice(1), ...details(results)].join('\n')
}

const shown = 10

function details(results: readonly Result[]): string[] {
  return results
    .filter(({ findings }) => findings.length > 0)
    .flatMap(({ attack, findings }) => [
      '',
      `FINDING  ${attack.name}${attack.note ? `\n         ${attack.note}` : ''}`,
      ...findings.slice(0, shown).map((finding) => `  - ${finding}`),
      ...(findings.length > shown ? [`  … and ${findings.length - shown} more`] : []),
    ])
}
