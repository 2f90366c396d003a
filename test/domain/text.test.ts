import test from 'ava'
import { generateSecret, secretProblem } from '../../src/domain/signing-secret.js'
import { textProblem } from '../../src/domain/text.js'

for (const [text, problem] of [
  ['', undefined],
  ['five!', undefined],
  ['sixsix', 'must have at most 5 characters'],
  ['😀😀😀😀😀', undefined],
  ['😀😀😀😀😀😀', 'must have at most 5 characters'],
  ['\t\r\n', undefined],
  ['a\0b', 'must not contain NUL'],
  ['a\uFFFDb', 'must be valid UTF-8'],
  ['a\uD83D', 'must be valid UTF-8'],
  ['\uDE00a', 'must be valid UTF-8'],
  ['\uFEFFa', undefined],
] as const) {
  test(`the text ${JSON.stringify(text)} ${problem ?? 'is fine'}`, (t) => {
    t.is(textProblem(text, 5), problem)
  })
}

const good = 'kT5-Wq0zR8_yB2nL7vXc4JdGfH1sMpA9'

for (const [secret, problem] of [
  [good, undefined],
  [good.slice(1), /at least 32 bytes/],
  ['', /at least 32 bytes/],
  // 16 characters, 32 bytes.
  ['éàüöñçßøåæœþðıłń', undefined],
  ['a-string-secret-at-least-256-bits-long', /well-known sample/],
  ['A-String-Secret-At-Least-256-Bits-Long', /well-known sample/],
  ['put your unique phrase here, please!!', /well-known sample/],
  ['0123456789abcdef0123456789abcdef', /well-known sample/],
  ['x'.repeat(64), /too regular/],
  ['1234567'.repeat(9), /too regular/],
  ['12345678'.repeat(8), undefined],
] as const) {
  test(`the signing secret ${JSON.stringify(secret)} ${problem ?? 'is accepted'}`, (t) => {
    const found = secretProblem(secret)
    if (problem) t.regex(found ?? '', problem)
    else t.is(found, undefined)
  })
}

test('a generated secret is accepted, and always another', (t) => {
  const secrets = Array.from({ length: 100 }, () => generateSecret())
  t.is(new Set(secrets).size, 100)
  for (const secret of secrets) {
    t.regex(secret, /^[\w-]{64}$/)
    t.is(secretProblem(secret), undefined)
  }
})
