import { type JsonInit, onEachDatabase } from '../helpers/with-service.js'

/** All that can be done to somebody's key-pairs. */
function operations(userId: number, apiKey: string): [string, JsonInit][] {
  const path = `/wp/v2/key-pair/${userId}`
  return [
    [path, {}],
    [path, { json: { name: 'Minted' } }],
    [`${path}/${apiKey}`, { method: 'PATCH', json: { name: 'Renamed' } }],
    [`${path}/${apiKey}/revoke`, { method: 'DELETE' }],
    [`${path}/revoke-all`, { method: 'DELETE' }],
  ]
}

onEachDatabase(
  'an administrator does to others’ key-pairs what they can do themselves',
  async (t, service) => {
    const root = await service.createUser('root', 'administrator')
    const ada = await service.createUser('ada')
    const pair = await service.mint(ada.id)
    const { headers } = await service.logIn('root')
    const answers = []
    for (const [path, init] of operations(ada.id, pair.api_key)) {
      answers.push(await service.json(path, { ...init, headers }))
    }
    t.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
    const [list, minted, renamed, revoked, all] = answers.map(({ body }) => body)
    t.is(list[0].api_key, pair.api_key)
    t.true(minted.row.api_key.startsWith(String(ada.id)), 'it is Ada’s')
    t.is(renamed.name, 'Renamed')
    t.is(revoked, true)
    t.is(all, 1)
    const rows = await service.runtime.db('key_pairs').select('user_id', 'revoked_by')
    t.deepEqual(
      rows.map((row) => ({ ...row })),
      [
        { user_id: ada.id, revoked_by: root.id },
        { user_id: ada.id, revoked_by: root.id },
      ],
    )
  },
)

onEachDatabase('nobody else does, and nobody learns who exists', async (t, service) => {
  await service.createUser('root', 'administrator')
  const ada = await service.createUser('ada')
  const pair = await service.mint(ada.id)
  const before = await service.runtime.db('key_pairs').select()
  for (const role of ['editor', 'author', 'contributor', 'subscriber'] as const) {
    await service.createUser(role, role)
    const { headers } = await service.logIn(role)
    for (const userId of [ada.id, 1, 99_999, 0]) {
      for (const [path, init] of operations(userId, pair.api_key)) {
        const { status, body } = await service.json(path, { ...init, headers })
        t.is(status, 403, `${role}: ${init.method ?? ''} ${path}`)
        t.deepEqual(body, {
          code: 'rest_authentication_edit_user_error',
          message: 'You do not have permission to edit this user.',
          data: { status: 403 },
        })
      }
    }
  }
  t.deepEqual(await service.runtime.db('key_pairs').select(), before)
})

onEachDatabase(
  'to an administrator a user who does not exist is named as such',
  async (t, service) => {
    await service.createUser('root', 'administrator')
    const { headers } = await service.logIn('root')
    for (const userId of ['99999', '0', '9'.repeat(30)]) {
      const path = `/wp/v2/key-pair/${userId}`
      for (const [target, init] of [
        [path, {}],
        [path, { json: { name: 'x' } }],
        [`${path}/revoke-all`, { method: 'DELETE' }],
      ] as const) {
        const { status, body } = await service.json(target, { ...init, headers })
        t.is(status, 403)
        t.is(body.code, 'rest_authentication_invalid_user_error')
      }
      const revoked = await service.json(`${path}/abc/revoke`, { method: 'DELETE', headers })
      t.is(revoked.body, false)
    }
  },
)

onEachDatabase('a user_id in the body must be the path’s', async (t, service) => {
  const root = await service.createUser('root', 'administrator')
  const ada = await service.createUser('ada')
  const admin = await service.logIn('root')
  const path = `/wp/v2/key-pair/${ada.id}`
  const mint = (user_id: unknown, headers: Record<string, string>) =>
    service.json(path, { headers, json: { name: 'x', user_id } })
  t.is((await mint(ada.id, admin.headers)).status, 200)
  t.is((await mint(String(ada.id), admin.headers)).status, 200)
  for (const wrong of [root.id, 0, 'x', [], {}, true, [root.id]]) {
    const { status, body } = await mint(wrong, admin.headers)
    t.is(status, 400, JSON.stringify(wrong))
    t.is(body.code, 'rest_invalid_param')
  }
  const own = await service.logIn('ada')
  const other = await mint(root.id, own.headers)
  t.is(other.status, 403)
  t.is(other.body.code, 'rest_authentication_edit_user_error')
})
