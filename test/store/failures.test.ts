import test from 'ava'
import { openDatabase } from '../../src/store/open.js'
import { retryDeadlocks } from '../../src/store/retry.js'
import { isUnavailable } from '../../src/store/unavailable.js'
import { freePort } from '../helpers/mariadb-server.js'
import { databaseConfig, insertUser, newUser, onEachStore } from '../helpers/with-stores.js'

const failure = (code: string) => Object.assign(new Error(code), { code })

test('the victim of a deadlock tries again, up to five times in all', async (t) => {
  let tries = 0
  const work = (fails: number) => async () => {
    if (++tries <= fails) throw failure('ER_LOCK_DEADLOCK')
    return tries
  }
  t.is(await retryDeadlocks(work(4)), 5)
  tries = 0
  await t.throwsAsync(retryDeadlocks(work(5)), { code: 'ER_LOCK_DEADLOCK' })
  t.is(tries, 5)
})

test('no other failure is tried again', async (t) => {
  for (const code of ['ER_DUP_ENTRY', 'ECONNRESET', 'SQLITE_BUSY', 'ER_LOCK_WAIT_TIMEOUT']) {
    let tries = 0
    const work = async () => {
      tries++
      throw failure(code)
    }
    await t.throwsAsync(retryDeadlocks(work), { code })
    t.is(tries, 1)
  }
})

for (const code of [
  'ECONNREFUSED',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_CON_COUNT_ERROR',
  'ER_ACCESS_DENIED_ERROR',
  'HANDSHAKE_SSL_ERROR',
  'SQLITE_BUSY',
  'SQLITE_BUSY_SNAPSHOT',
  'SQLITE_FULL',
  'SQLITE_IOERR_WRITE',
  'SQLITE_READONLY_DBMOVED',
]) {
  test(`${code} says that the database is away`, (t) => t.true(isUnavailable(failure(code))))
}

for (const thrown of [
  failure('ER_DUP_ENTRY'),
  failure('ER_PARSE_ERROR'),
  failure('ER_NO_SUCH_TABLE'),
  failure('SQLITE_CONSTRAINT_UNIQUE'),
  failure('SQLITE_ERROR'),
  new TypeError('x is not a function'),
  new Error('ECONNREFUSED'),
  'ECONNREFUSED',
  undefined,
]) {
  test(`${String(thrown)} is a mistake of ours`, (t) => t.false(isUnavailable(thrown)))
}

test('a server that is not there is away, and soon known to be', async (t) => {
  const url = `mysql://ada:pw@127.0.0.1:${await freePort()}/x`
  const db = openDatabase(databaseConfig(url), { warn() {}, error() {}, debug() {} })
  const start = Date.now()
  const error = await t.throwsAsync(async () => db('users').first(), { any: true })
  t.true(isUnavailable(error), String(error))
  t.true(Date.now() - start < 4000)
  await db.destroy()
})

onEachStore('an error never carries the values of its statement', async (t, { db, stores }) => {
  await insertUser(stores, 'ada')
  const { login, email, passwordHash } = newUser('ada', { passwordHash: 'very-secret-hash' })
  const error = await t.throwsAsync(
    async () =>
      db('users').insert({ user_login: login, user_email: email, password_hash: passwordHash }),
    { any: true },
  )
  t.false(String(error).includes('very-secret-hash'))
  t.false((error as Error).stack?.includes('very-secret-hash') ?? true)
})

// Two transactions that take two rows in opposite order: one of them is MySQL's victim.
onEachStore('a transaction that deadlocks is run again, whole', async (t, { stores }) => {
  const { id: one } = await insertUser(stores, 'one')
  const { id: two } = await insertUser(stores, 'two')
  const change = (first: number, second: number, hash: string) =>
    stores.transaction(async (tx) => {
      await tx.users.updatePassword(first, hash)
      await new Promise((resolve) => setTimeout(resolve, 50))
      await tx.users.updatePassword(second, hash)
    })
  await Promise.all([change(one, two, 'a'), change(two, one, 'b')])
  const hashes = await Promise.all(
    ['one', 'two'].map(async (login) => (await stores.users.findCredentials(login))?.passwordHash),
  )
  t.is(hashes[0], hashes[1], 'both rows are by the same transaction')
})
