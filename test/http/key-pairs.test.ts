import test from 'ava'
import { displayTime } from '../../src/http/wp/present.js'
import { bearer, onEachDatabase } from '../helpers/with-service.js'

onEachDatabase('minting shows the secret once, and never again', async (t, service) => {
  const user = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  const minted = await service.json(path, { headers, json: { name: 'Backup' } })
  t.is(minted.status, 200)
  t.is(minted.headers.get('Cache-Control'), 'no-store')
  const { api_secret, row } = minted.body
  t.deepEqual(Object.keys(minted.body), ['api_secret', 'row'])
  t.regex(api_secret, /^twk_[0-9A-Za-z]{46}$/)
  t.regex(row.api_key, new RegExp(`^${user.id}[0-9A-Za-z]{24}$`))
  t.regex(row.created, /^[A-Z][a-z]+ \d{1,2}, \d{4} \d{1,2}:\d\d (am|pm)$/)
  t.deepEqual(row, {
    name: 'Backup',
    api_key: row.api_key,
    created: row.created,
    last_used: '—',
    last_ip: '—',
  })

  const list = await service.fetch(path, { headers })
  const text = await list.text()
  t.false(text.includes(api_secret))
  t.notRegex(text, /"[^"]*(secret|hash|sha256)[^"]*":/i)
  t.deepEqual(JSON.parse(text), [row])
  const stored = JSON.stringify(await service.runtime.db('key_pairs').select())
  t.false(stored.includes(api_secret), 'the database has only its hash')
  t.false(service.log().includes(api_secret))

  const { access_token } = await service.exchange({ api_key: row.api_key, api_secret })
  t.is((await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).status, 200)
})

const names = [
  'a',
  '0',
  'false',
  ' leading and trailing ',
  '"double" \'single\' `back` \\ \\n \\u0041',
  '<b>bold</b> &amp; <script>alert(1)</script>',
  "'; drop table key_pairs; --",
  '%41%20+plus+100%',
  'שלום עולם \u202eright to left\u202c',
  'café cafe\u0301 ﬁ Ｆｕｌｌ',
  '👩‍👩‍👧‍👦 🇮🇱 𝔘𝔫𝔦𝔠𝔬𝔡𝔢',
  'tab\tand\nline\r\nbreaks',
  'x'.repeat(255),
  '👍'.repeat(255),
]

onEachDatabase('a name is kept as typed, whatever it is', async (t, service) => {
  const user = await service.createUser('ada')
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  for (const name of names) {
    const form = new FormData()
    // The multipart encoding of fetch changes every line break to CRLF; nothing of ours does.
    form.set('name', name)
    const expected = name.replace(/\r?\n/g, '\r\n')
    const multipart = await service.fetch(path, { method: 'POST', headers, body: form })
    t.is(((await multipart.json()) as any).row.name, expected)
    t.is((await service.json(path, { headers, fields: { name } })).body.row.name, name)
    const { body } = await service.json(path, { headers, json: { name } })
    t.is(body.row.name, name)
    t.is((await service.json(path, { headers })).body[0].name, name)
    const renamed = await service.json(`${path}/${body.row.api_key}`, {
      method: 'PATCH',
      headers,
      json: { name: [...`${name}!`].slice(-255).join('') },
    })
    t.is(renamed.body.name, [...`${name}!`].slice(-255).join(''))
  }
})

onEachDatabase('a name must be there and have at most 255 characters', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id, 'Before')
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  const refused: [object, number, string][] = [
    [{}, 400, 'rest_missing_callback_param'],
    [{ name: null }, 400, 'rest_missing_callback_param'],
    [{ name: '' }, 403, 'rest_authentication_required_name_error'],
    [{ name: ' \t\n ' }, 403, 'rest_authentication_required_name_error'],
    [{ name: 'x'.repeat(256) }, 400, 'rest_invalid_param'],
    [{ name: '👍'.repeat(256) }, 400, 'rest_invalid_param'],
    [{ name: 'x'.repeat(20_000) }, 400, 'rest_invalid_param'],
    [{ name: 'a\0b' }, 400, 'rest_invalid_param'],
    [{ name: '\ud83d' }, 400, 'rest_invalid_param'],
  ]
  for (const [json, status, code] of refused) {
    for (const [method, target] of [
      ['POST', path],
      ['PATCH', `${path}/${pair.api_key}`],
    ] as const) {
      const answer = await service.json(target, { method, headers, json })
      t.is(answer.status, status, `${method} ${JSON.stringify(json).slice(0, 40)}`)
      t.is(answer.body.code, code)
      t.is(answer.body.data.status, status)
      if (code === 'rest_invalid_param') t.deepEqual(Object.keys(answer.body.data.params), ['name'])
    }
  }
  const { body } = await service.json(path, { headers })
  t.deepEqual(
    body.map((row: any) => row.name),
    ['Before'],
  )
})

onEachDatabase(
  'the list is newest first, of living pairs unless all are asked for',
  async (t, service) => {
    const user = await service.createUser('ada')
    const { headers } = await service.logIn('ada')
    const path = `/wp/v2/key-pair/${user.id}`
    t.deepEqual((await service.json(path, { headers })).body, [])
    for (const name of ['one', 'two', 'three']) {
      await service.json(path, { headers, json: { name } })
      service.advance(60)
    }
    await service.json(path, { headers, json: { name: 'four, in the same minute' } })
    await service.json(path, { headers, json: { name: 'five, in the same minute' } })
    const list = async (query = '') =>
      (await service.json(path + query, { headers })).body.map((row: any) => row.name)
    const five = ['five, in the same minute', 'four, in the same minute', 'three', 'two', 'one']
    t.deepEqual(await list(), five)

    const two = (await service.json(path, { headers })).body[3].api_key
    t.is((await service.json(`${path}/${two}/revoke`, { method: 'DELETE', headers })).body, true)
    t.deepEqual(
      await list(),
      five.filter((name) => name !== 'two'),
    )
    t.deepEqual(
      await list('?status=active'),
      five.filter((name) => name !== 'two'),
    )
    t.deepEqual(await list('?status=all'), five)
    const { body } = await service.json(`${path}?status=all`, { headers })
    t.regex(body[3].revoked, /^[A-Z][a-z]+ \d/)
    t.deepEqual(
      body.map((row: any) => 'revoked' in row),
      [false, false, false, true, false],
    )
    const wrong = await service.json(`${path}?status=dead`, { headers })
    t.is(wrong.status, 400)
    t.deepEqual(wrong.body.data.params, { status: 'must be active or all' })
  },
)

onEachDatabase(
  'revoking answers true once, then false, and only for one’s own pair',
  async (t, service) => {
    const ada = await service.createUser('ada')
    const bob = await service.createUser('bob')
    const pair = await service.mint(ada.id)
    const bobs = await service.mint(bob.id)
    const { headers } = await service.logIn('ada')
    const revoke = async (apiKey: string) => {
      const path = `/wp/v2/key-pair/${ada.id}/${apiKey}/revoke`
      const response = await service.fetch(path, { method: 'DELETE', headers })
      t.is(response.status, 200)
      t.is(response.headers.get('Content-Type'), 'application/json; charset=utf-8')
      return response.text()
    }
    t.is(await revoke(bobs.api_key), 'false', 'a pair of somebody else')
    t.is(await revoke(pair.api_key.toLowerCase()), 'false', 'keys are case-sensitive')
    t.is(await revoke('x'.repeat(5000)), 'false')
    t.truthy(await service.exchange(bobs))
    t.truthy(await service.exchange(pair))
    t.is(await revoke(pair.api_key), 'true')
    t.is(await revoke(pair.api_key), 'false')
    const { body } = await service.json('/wp/v2/token', { fields: { ...pair } })
    t.is(body.code, 'rest_authentication_revoked_api_key')
  },
)

onEachDatabase(
  'revoke-all answers how many it revoked, and leaves others alone',
  async (t, service) => {
    const ada = await service.createUser('ada')
    const bob = await service.createUser('bob')
    const pairs = [
      await service.mint(ada.id),
      await service.mint(ada.id),
      await service.mint(ada.id),
    ]
    const bobs = await service.mint(bob.id)
    const { headers } = await service.logIn('ada')
    const path = `/wp/v2/key-pair/${ada.id}`
    await service.json(`${path}/${pairs[0]?.api_key}/revoke`, { method: 'DELETE', headers })
    const all = async () =>
      (await service.fetch(`${path}/revoke-all`, { method: 'DELETE', headers })).text()
    t.is(await all(), '2')
    t.is(await all(), '0')
    for (const pair of pairs) {
      t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 403)
    }
    t.truthy(await service.exchange(bobs))
    t.truthy((await service.json(path, { headers, json: { name: 'after' } })).body.api_secret)
  },
)

onEachDatabase(
  'renaming changes the name and nothing else, while the pair lives',
  async (t, service) => {
    const ada = await service.createUser('ada')
    const bob = await service.createUser('bob')
    const pair = await service.mint(ada.id, 'Before')
    const bobs = await service.mint(bob.id, 'Of Bob')
    const { headers } = await service.logIn('ada')
    const path = `/wp/v2/key-pair/${ada.id}`
    const before = (await service.json(path, { headers })).body[0]
    const rename = (apiKey: string, name: string) =>
      service.json(`${path}/${apiKey}`, { method: 'PATCH', headers, json: { name } })
    t.deepEqual((await rename(pair.api_key, 'After')).body, { ...before, name: 'After' })
    t.is((await rename(pair.api_key, 'After')).status, 200, 'the name it has already')
    t.truthy(await service.exchange(pair))
    for (const apiKey of [bobs.api_key, 'nope', pair.api_key.toUpperCase()]) {
      const { status, body } = await rename(apiKey, 'Mine')
      t.is(status, 404)
      t.is(body.code, 'rest_authentication_key_pair_not_found')
    }
    await service.json(`${path}/${pair.api_key}/revoke`, { method: 'DELETE', headers })
    t.is((await rename(pair.api_key, 'Dead')).status, 404)
    const rows = await service.runtime.db('key_pairs').orderBy('id').pluck('name')
    t.deepEqual(rows, ['After', 'Of Bob'])
  },
)

// WordPress's `F j, Y g:i a`
for (const [iso, text] of [
  ['2026-11-22T03:19:59Z', 'November 22, 2026 3:19 am'],
  ['2026-01-01T00:00:00Z', 'January 1, 2026 12:00 am'],
  ['2026-06-09T12:05:00Z', 'June 9, 2026 12:05 pm'],
  ['2026-12-31T23:59:59Z', 'December 31, 2026 11:59 pm'],
] as const) {
  test(`${iso} is shown as ${text}`, (t) => t.is(displayTime(Date.parse(iso) / 1000), text))
}
test('a time that never came is shown as a dash', (t) => t.is(displayTime(null), '—'))
