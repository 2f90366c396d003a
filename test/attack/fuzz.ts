import { randomInt } from 'node:crypto'
import fc from 'fast-check'

/** Another seed each time, and the same again with FUZZ_SEED; a failure prints it. */
export const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31 - 1))

/** Requests in all for each database. */
export const requestCount = Number(process.env.FUZZ_REQUESTS ?? 2000)

/** Texts that have broken something somewhere. */
const nasty = [
  '',
  ' ',
  '\0',
  'null',
  'undefined',
  'NaN',
  '0',
  '-1',
  '1e309',
  '9007199254740993',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '[object Object]',
  '%',
  '%00',
  '%C0%80',
  '%ff',
  '../../etc/passwd',
  "' OR '1'='1",
  "\\' OR 1=1 -- ",
  '"><script>alert(1)</script>',
  '\u202e',
  '\ud800',
  '\ufffd',
  '\r\nX: y',
  'a'.repeat(300),
  'é'.repeat(256),
  '🔑'.repeat(64),
  '=1+1',
  '2027-02-31',
  '1970-01-01',
  '253402300800',
  '::1',
  '::ffff:1.2.3.4/200',
  '0.0.0.0/0',
  '1.2.3.4/33',
  'fe80::1%eth0',
]

export const text = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.base64String({ maxLength: 60 }),
)

/** What JSON can hold, with lone surrogates and members of prototypes. */
export const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, [], {}, [[]], { $ne: '' }, ['a', 'a']),
)

/** `known` among random ones. */
export const oneOf = (known: readonly string[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: text })
