import { randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { generateApiKey } from '../../src/domain/key-pair.js'

const pairsPerUser = 100
const usersPerTransaction = 500
const rowsPerStatement = 2000

/**
 * Fills the table up to so many key-pairs, a hundred of one user each: rows by the thousand with keys and
 * hashes as ours are, so that indexes are as large and as scattered; a table of the size asked for, not
 * a history. Nobody knows their secrets.
 *
 * @param onProgress Told how many there are, now and then.
 */
export async function fillKeyPairs(
  db: Knex,
  wanted: number,
  onProgress: (present: number) => void = () => {},
): Promise<void> {
  let present = Number((await db('key_pairs').count({ n: '*' }))[0]?.n ?? 0)
  const [{ last }] = (await db('users').max({ last: 'id' })) as [{ last: number | null }]
  let userId = Number(last ?? 0)
  while (present < wanted) {
    const count = Math.min(usersPerTransaction * pairsPerUser, wanted - present)
    const users = Array.from({ length: Math.ceil(count / pairsPerUser) }, () => ++userId)
    await db.transaction(async (trx) => {
      await insertUsers(trx, users)
      const owners = users.flatMap((id) => new Array<number>(pairsPerUser).fill(id))
      await insertKeyPairs(trx, owners.slice(0, count))
    })
    present += count
    onProgress(present)
  }
}

/** Further key-pairs of one user. */
export function addKeyPairs(db: Knex, userId: number, count: number): Promise<void> {
  return db.transaction((trx) => insertKeyPairs(trx, new Array<number>(count).fill(userId)))
}

function insertUsers(trx: Knex.Transaction, ids: readonly number[]): Promise<void> {
  const columns =
    'id, user_login, user_email, user_nicename, display_name, roles, password_hash, created_at'
  return insert(trx, 'users', columns, ids, (id) => {
    const login = `seed${id}`
    return `${id},'${login}','${login}@example.com','${login}','Seed ${id}','subscriber','none',0`
  })
}

function insertKeyPairs(trx: Knex.Transaction, owners: readonly number[]): Promise<void> {
  const columns = 'user_id, name, api_key, secret_hash, hash_scheme, created_at'
  return insert(trx, 'key_pairs', columns, owners, (userId, index) => {
    const hash = randomBytes(32).toString('base64url')
    return `${userId},'Seed ${index}','${generateApiKey(userId)}','${hash}','sha256',0`
  })
}

/** As text, because binding ten million rows takes longer than storing them; all of it is made here. */
async function insert<T>(
  trx: Knex.Transaction,
  table: string,
  columns: string,
  items: readonly T[],
  rowOf: (item: T, index: number) => string,
): Promise<void> {
  for (let start = 0; start < items.length; start += rowsPerStatement) {
    const rows = items
      .slice(start, start + rowsPerStatement)
      .map((item, index) => `(${rowOf(item, start + index)})`)
    await trx.raw(`insert into ${table} (${columns}) values ${rows.join(',')}`)
  }
}
