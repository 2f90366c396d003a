import test from 'ava'
import { count, duration, fields, json, table, time, visible } from '../../src/cli/text.js'

test('what a terminal would obey or hide is spelled out', (t) => {
  t.is(visible('\x1b]0;title\x07\r\n\t\x7f\u0085'), '\\x1b]0;title\\x07\\x0d\\x0a\\x09\\x7f\\x85')
  t.is(
    visible('\u202eevil\u2066 \u200b\ufeff\u{e0041}'),
    '\\u{202e}evil\\u{2066} \\u{200b}\\u{feff}\\u{e0041}',
  )
  t.is(visible('\ud800'), '\\u{d800}')
  const harmless = 'Zoë “名前” 👩‍💻 नमस्ते ‌می‌خواهم C:\\x'
  t.is(visible(harmless), harmless)
})

test('JSON for a terminal is still the same JSON', (t) => {
  const value = { name: '\x1b[2J\x7f\u009b\u202e\u2028\u{e0041}\ud800 "quoted" \\ 👩‍💻' }
  t.deepEqual(JSON.parse(json(value)), value)
  t.regex(json(value).replace('👩‍💻', ''), /^[\x20-\x7e]+\n$/)
})

test('columns are aligned by what a terminal shows', (t) => {
  const rows = [
    ['名前', '1'],
    ['👩‍💻 e\u0301', '2'],
    ['x'.repeat(60), '3'],
  ]
  t.is(
    table(['NAME', 'N'], rows),
    [
      `NAME${' '.repeat(44)}  N`,
      `名前${' '.repeat(44)}  1`,
      `👩‍💻 e\u0301${' '.repeat(44)}  2`,
      `${'x'.repeat(47)}…  3\n`,
    ].join('\n'),
  )
  t.is(table(['A', 'B'], [['1', '']]), 'A  B\n1\n')
  t.is(
    fields([
      ['A', '\n'],
      ['Long', 'x'],
    ]),
    'A     \\x0a\nLong  x\n',
  )
})

test('moments and counts read like sentences', (t) => {
  t.is(time(1_795_444_617), '2026-11-23 14:36:57Z')
  t.is(time(null), 'never')
  t.deepEqual(
    [0, 1, 2].map((n) => count(n, 'key-pair')),
    ['no key-pairs', '1 key-pair', '2 key-pairs'],
  )
  t.deepEqual([0, 1, 59, 60, 3599, 5400, 604_799].map(duration), [
    '0 seconds',
    '1 second',
    '59 seconds',
    '1 minute',
    '60 minutes',
    '2 hours',
    '7 days',
  ])
})
