/**
 * `DATABASE_URL=… npm run bench:seed -- --key-pairs 10000000 [--user LOGIN --user-key-pairs 10000]`
 *
 * Fills a database, which is brought up to date first, with key-pairs that nobody has the secrets of: to see
 * how Twinkey, or a database server, does with a table of that size. `--user` gives one user so many more.
 */
import { parseArgs } from 'node:util'
import { loadConfig, readEnvironment } from '../src/config.js'
import { migrate } from '../src/store/migrate.js'
import { openDatabase } from '../src/store/open.js'
import { addKeyPairs, fillKeyPairs } from './servers/fill.js'

const { values } = parseArgs({
  options: {
    'key-pairs': { type: 'string', default: '10000000' },
    user: { type: 'string' },
    'user-key-pairs': { type: 'string', default: '10000' },
  },
})
const wanted = readCount('key-pairs')
const ofUser = readCount('user-key-pairs')
const { database } = loadConfig(readEnvironment(process.env))
const db = openDatabase(database, { warn: console.error, error: console.error, debug() {} })
try {
  await migrate(db)
  const began = performance.now()
  await fillKeyPairs(db, wanted, (present) => {
    const seconds = Math.round((performance.now() - began) / 1000)
    console.error(`${present.toLocaleString('en')} key-pairs, ${seconds} s`)
  })
  if (values.user !== undefined) {
    const user = await db('users').where('user_login', values.user).first('id')
    if (!user) throw new Error(`There is no user "${values.user}"`)
    await addKeyPairs(db, user.id, ofUser)
    console.error(`${ofUser.toLocaleString('en')} more of ${values.user}`)
  }
} finally {
  await db.destroy()
}

function readCount(name: 'key-pairs' | 'user-key-pairs'): number {
  const count = Number(values[name])
  if (Number.isSafeInteger(count) && count >= 0) return count
  throw new TypeError(`--${name} must be a whole number, got "${values[name]}"`)
}
