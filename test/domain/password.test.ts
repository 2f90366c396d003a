import test from 'ava'
import {
  generatePassword,
  hashPassword,
  maxPasswordBytes,
  passwordProblem,
  verifyPassword,
} from '../../src/domain/password.js'

test('a password is hashed with argon2id, 19 MiB, two passes, and a salt of its own', async (t) => {
  const hashes = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')])
  for (const hash of hashes) {
    t.regex(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43,}$/)
    t.true(hash.length <= 255, 'fits its column')
  }
  t.not(hashes[0], hashes[1])
})

test('only the password itself is right', async (t) => {
  const hash = await hashPassword('Correct hörse 🐎')
  t.true(await verifyPassword(hash, 'Correct hörse 🐎'))
  for (const other of ['', 'correct hörse 🐎', 'Correct hörse 🐎 ', 'Correct hörse', hash]) {
    t.false(await verifyPassword(hash, other), other)
  }
})

test('nobody’s password is never right, not even the decoy’s', async (t) => {
  t.false(await verifyPassword(undefined, 'anything'))
  t.false(await verifyPassword(undefined, 'decoy'))
  t.false(await verifyPassword(undefined, ''))
})

test('a user who does not exist costs as much as one who does', async (t) => {
  const hash = await hashPassword('correct horse')
  await verifyPassword(undefined, 'warm up')
  const time = async (stored: string | undefined) => {
    const start = process.hrtime.bigint()
    for (let i = 0; i < 5; i++) await verifyPassword(stored, 'wrong')
    return Number(process.hrtime.bigint() - start)
  }
  const known = await time(hash)
  const unknown = await time(undefined)
  // A look-up that stops early takes a thousandth; a busy machine is far from that.
  t.true(unknown > known / 10, `${unknown} against ${known}`)
})

for (const [password, problem] of [
  ['', 'must have at least 8 characters'],
  ['1234567', 'must have at least 8 characters'],
  ['🔑🔑🔑🔑🔑🔑🔑', 'must have at least 8 characters'],
  ['🔑🔑🔑🔑🔑🔑🔑🔑', undefined],
  ['12345678', undefined],
  ['        ', undefined],
  ['a'.repeat(maxPasswordBytes), undefined],
  ['a'.repeat(maxPasswordBytes + 1), 'must have at most 1024 bytes'],
  ['é'.repeat(513), 'must have at most 1024 bytes'],
] as const) {
  test(`the password ${password.slice(0, 20)} (${password.length}) ${problem ?? 'is fine'}`, (t) => {
    t.is(passwordProblem(password), problem)
  })
}

test('a generated password is long and has no characters that look alike', (t) => {
  const passwords = Array.from({ length: 200 }, () => generatePassword())
  t.is(new Set(passwords).size, passwords.length)
  for (const password of passwords) {
    t.regex(password, /^[2-9A-HJ-NP-Za-km-np-z]{24}$/)
    t.is(passwordProblem(password), undefined)
  }
})
