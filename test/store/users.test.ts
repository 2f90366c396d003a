import { insertUser, newUser, onEachStore } from '../helpers/with-stores.js'

onEachStore('a user is read back as it was written', async (t, { stores }) => {
  const details = newUser('ada.lovelace', {
    email: 'Ada@Sample.org',
    nicename: 'ada-lovelace',
    displayName: 'Ada 👩‍💻 Łovelace',
    firstName: 'Ада',
    lastName: '愛達',
    roles: ['editor', 'author'],
    createdAt: 4_102_444_800,
  })
  const user = await stores.users.insert(details)
  const { passwordHash, ...rest } = details
  if (typeof user === 'string') return t.fail(user)
  t.deepEqual(user, { ...rest, id: user.id })
  t.deepEqual(await stores.users.findById(user.id), user)
  t.deepEqual(await stores.users.findByLogin('ada.lovelace'), user)
  t.deepEqual(await stores.users.findCredentials('ada.lovelace'), { user, passwordHash })
  t.deepEqual(await stores.users.list({ offset: 0, limit: 10 }), { users: [user], total: 1 })
})

onEachStore('logins and e-mails are unique without regard to case', async (t, { stores }) => {
  await insertUser(stores, 'ada', { email: 'ada@sample.org' })
  t.is(await stores.users.insert(newUser('ADA', { email: 'other@sample.org' })), 'login_taken')
  t.is(await stores.users.insert(newUser('other', { email: 'Ada@SAMPLE.org' })), 'email_taken')
  t.is(await stores.users.insert(newUser('Ada', { email: 'ADA@sample.org' })), 'login_taken')
  t.is((await stores.users.list({ offset: 0, limit: 10 })).total, 1)
})

onEachStore('of simultaneous registrations of one login, one succeeds', async (t, { stores }) => {
  const spellings = ['ada', 'Ada', 'ADA', 'aDa', 'adA', 'AdA']
  const outcomes = await Promise.all(
    spellings.map((login, i) => stores.users.insert(newUser(login, { email: `a${i}@sample.org` }))),
  )
  t.is(outcomes.filter((outcome) => outcome === 'login_taken').length, spellings.length - 1)
})

onEachStore('logins and e-mails are found without regard to case', async (t, { stores }) => {
  const { id } = await insertUser(stores, 'Ada', { email: 'Ada@sample.org' })
  t.is((await stores.users.findByLogin('aDA'))?.id, id)
  t.is((await stores.users.findCredentials('ADA'))?.user.id, id)
  t.is((await stores.users.findCredentials('ADA@SAMPLE.ORG'))?.user.id, id)
  t.is(await stores.users.findByLogin('ada@sample.org'), undefined)
})

onEachStore(
  'a login that looks like an e-mail address wins over the address',
  async (t, { stores }) => {
    const { id } = await insertUser(stores, 'ada@sample.org', { email: 'first@sample.org' })
    await insertUser(stores, 'other', { email: 'ada@sample.org' })
    t.is((await stores.users.findCredentials('ada@sample.org'))?.user.id, id)
  },
)

// MySQL's general collations find "adàm" when asked for "adam", and cannot compare everything.
for (const login of [
  'adám',
  'ａｄａｍ',
  'adam\u0301',
  '😀',
  'ad\u00adam',
  'ada%',
  'ada_',
  "a'; --",
]) {
  onEachStore(
    `the login ${JSON.stringify(login)} is not somebody else's`,
    async (t, { stores }) => {
      await insertUser(stores, 'adam')
      t.is(await stores.users.findByLogin(login), undefined)
      t.is(await stores.users.findCredentials(login), undefined)
      t.is(await stores.users.findCredentials(`${login}@sample.org`), undefined)
    },
  )
}

onEachStore('ids are never given out again', async (t, { stores, open }) => {
  const ids = new Set<number>()
  for (const login of ['a', 'b', 'c', 'd']) {
    const { id } = await insertUser(stores, login)
    ids.add(id)
    t.true(await stores.users.delete(id))
    t.is(await stores.users.findById(id), undefined)
    t.false(await stores.users.delete(id))
  }
  t.is(ids.size, 4)
  await open().raw('select 1')
  t.false(ids.has((await insertUser(stores, 'e')).id))
})

onEachStore('a deleted user leaves neither key-pairs nor sessions', async (t, { stores, db }) => {
  const { id: userId } = await insertUser(stores, 'ada')
  const { id: otherId } = await insertUser(stores, 'bob')
  for (const owner of [userId, otherId]) {
    await stores.keyPairs.insert({
      userId: owner,
      name: 'Test',
      apiKey: `${owner}key`,
      secret: { scheme: 'sha256', hash: 'hash' },
      createdAt: 1,
    })
    await stores.sessions.insert({
      id: `session-of-${owner}`,
      userId: owner,
      createdAt: 1,
      expiresAt: 2,
      ip: null,
      userAgent: null,
      secondFactorAt: null,
    })
  }
  t.true(await stores.users.delete(userId))
  t.deepEqual(await db('key_pairs').pluck('user_id'), [otherId])
  t.deepEqual(await db('sessions').pluck('user_id'), [otherId])
  t.deepEqual(await stores.keyStates.read([`${userId}key`]), [])
})

onEachStore(
  'a change of password or status says whether there is such a user',
  async (t, { stores }) => {
    const { id } = await insertUser(stores, 'ada')
    t.true(await stores.users.updatePassword(id, 'new'))
    t.is((await stores.users.findCredentials('ada'))?.passwordHash, 'new')
    t.true(await stores.users.updatePassword(id, 'new'), 'the same value again is still a success')
    t.true(await stores.users.updateStatus(id, 'disabled'))
    t.true(await stores.users.updateStatus(id, 'disabled'))
    t.is((await stores.users.findById(id))?.status, 'disabled')
    t.false(await stores.users.updatePassword(id + 1, 'new'))
    t.false(await stores.users.updateStatus(id + 1, 'active'))
  },
)

onEachStore('users are listed by id, page by page, with their number', async (t, { stores }) => {
  t.true(await stores.users.isEmpty())
  for (const login of ['dora', 'ada', 'carl', 'bob']) await insertUser(stores, login)
  t.false(await stores.users.isEmpty())
  const page = await stores.users.list({ offset: 1, limit: 2 })
  t.deepEqual(
    page.users.map((user) => user.login),
    ['ada', 'carl'],
  )
  t.is(page.total, 4)
  t.deepEqual(await stores.users.list({ offset: 10, limit: 2 }), { users: [], total: 4 })
})

onEachStore('a search takes its characters literally', async (t, { stores }) => {
  await insertUser(stores, 'ada', { displayName: '100% Ada' })
  await insertUser(stores, 'bob_b', { displayName: 'Bob!' })
  await insertUser(stores, 'carl', { displayName: 'Carl \\ 😀' })
  const search = async (text: string) => {
    const { users, total } = await stores.users.list({ search: text, offset: 0, limit: 10 })
    t.is(users.length, total)
    return users.map((user) => user.login)
  }
  t.deepEqual(await search('%'), ['ada'])
  t.deepEqual(await search('_'), ['bob_b'])
  t.deepEqual(await search('!'), ['bob_b'])
  t.deepEqual(await search('\\'), ['carl'])
  t.deepEqual(await search('😀'), ['carl'])
  t.deepEqual(await search("'"), [])
  t.deepEqual(await search('BOB'), ['bob_b'])
  t.deepEqual(await search('carl@sample'), ['carl'])
  t.deepEqual(await search('日本'), [])
})

onEachStore(
  'a lock keeps others from changing the user until the transaction ends',
  async (t, context) => {
    const { stores } = context
    const { id } = await insertUser(stores, 'ada')
    const order: string[] = []
    let locked!: () => void
    const isLocked = new Promise<void>((resolve) => {
      locked = resolve
    })
    const first = stores.transaction(async (tx) => {
      t.is((await tx.users.lock(id))?.passwordHash, 'hash-of-ada')
      locked()
      await new Promise((resolve) => setTimeout(resolve, 200))
      order.push('first')
      await tx.users.updatePassword(id, 'first')
    })
    await isLocked
    const second = stores.transaction(async (tx) => {
      const found = await tx.users.lock(id)
      order.push(`second after ${found?.passwordHash}`)
    })
    await Promise.all([first, second])
    t.deepEqual(order, ['first', 'second after first'])
  },
)

onEachStore('a shared lock keeps a change out, and its like in', async (t, { stores, dialect }) => {
  const { id } = await insertUser(stores, 'ada')
  const order: string[] = []
  let locked!: () => void
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve
  })
  const first = stores.transaction(async (tx) => {
    t.is((await tx.users.lockShared(id))?.login, 'ada')
    locked()
    await new Promise((resolve) => setTimeout(resolve, 300))
    order.push('first')
  })
  await isLocked
  const second = stores.transaction(async (tx) => {
    await tx.users.lockShared(id)
    order.push('second')
  })
  const change = stores.users.updatePassword(id, 'new').then(() => order.push('change'))
  await Promise.all([first, second, change])
  // SQLite has one writer at a time.
  const expected = dialect.name === 'SQLite' ? /^first/ : /^second first change$/
  t.regex(order.join(' '), expected)
  t.is(order.length, 3)
})

onEachStore('a failed transaction leaves nothing behind', async (t, { stores }) => {
  const failed = stores.transaction(async (tx) => {
    await insertUser(tx, 'ada')
    throw new Error('on purpose')
  })
  await t.throwsAsync(failed, { message: 'on purpose' })
  t.true(await stores.users.isEmpty())
})
