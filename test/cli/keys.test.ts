import { bearer, onEachDatabase } from '../helpers/with-service.js'
import { cliBeside, onSqlite } from './run-cli.js'

const unsafe = /[\p{Cc}\p{Bidi_Control}]/u
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

onEachDatabase('mint here, exchange over HTTP, revoke here: refused', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const minted = await cli('key', 'mint', 'ada', 'Backup script', '--json')
  t.is(minted.code, 0, minted.stderr)
  const { name, ...pair } = minted.json()
  t.deepEqual(Object.keys(minted.json()), ['name', 'api_key', 'api_secret'])
  t.is(name, 'Backup script')
  t.regex(minted.stdout, /^\{"name":.*\}\n$/)
  t.true(pair.api_key.startsWith(`${id}`))

  const { access_token, refresh_token } = await service.exchange(pair)
  const validate = () => service.json('/wp/v2/token/validate', { headers: bearer(access_token) })
  t.is((await validate()).status, 200)

  const revoked = await cli('key', 'revoke', 'ada', pair.api_key)
  t.regex(
    revoked.stdout,
    /^Key-pair "Backup script" is revoked, with every token made from it\.\n$/,
  )
  t.is((await validate()).body.code, 'rest_authentication_revoked_api_key')
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 403)
  t.is((await service.json('/wp/v2/token', { fields: { refresh_token } })).status, 403)

  const again = await cli('key', 'revoke', 'ada', pair.api_key, '--json')
  t.deepEqual([again.code, again.stdout], [0, '{"revoked":false}\n'])
  const unknown = await cli('key', 'revoke', 'ada', `${pair.api_key}x`, '--json')
  t.deepEqual([unknown.code, unknown.stdout], [1, ''])
  t.is(unknown.stderr, `twinkey: ada has no key-pair ${pair.api_key}x.\n`)
})

onSqlite('key-pairs are listed, with what became of them', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const first = await service.mint(id, 'First')
  const second = await service.mint(id, 'Second')
  await service.exchange(second)
  await service.runtime.services.usage.flush()
  t.is((await cli('key', 'revoke', 'ada', first.api_key, '--json')).stdout, '{"revoked":true}\n')

  const alive = (await cli('key', 'list', 'ada', '--json')).json()
  t.deepEqual(Object.keys(alive), ['key_pairs'])
  const [{ created_at, last_used_at, ...rest }] = alive.key_pairs
  t.regex(created_at, iso)
  t.regex(last_used_at, iso)
  t.deepEqual(rest, {
    name: 'Second',
    api_key: second.api_key,
    last_ip: '127.0.0.1',
    revoked_at: null,
  })

  const all = (await cli('key', 'list', 'ada', '--all', '--json')).json()
  t.deepEqual(
    all.key_pairs.map((pair: any) => [pair.name, pair.last_used_at, typeof pair.revoked_at]),
    [
      ['Second', last_used_at, 'object'],
      ['First', null, 'string'],
    ],
  )
  t.regex(all.key_pairs[1].revoked_at, iso)

  const text = await cli('key', 'list', 'ada', '--all')
  const [head, ...lines] = text.stdout.trimEnd().split('\n')
  t.regex(head ?? '', /^NAME {4}API KEY {20}CREATED {15}LAST USED {13}LAST IP {4}REVOKED$/)
  t.is(lines.length, 2)
  t.regex(lines[1] ?? '', /^First {3}\S+ {2}\S+ \S+Z {2}never {17}— {10}\S+ \S+Z$/)
})

onEachDatabase('a name may be anything; a terminal gets it spelled out', async (t, service) => {
  const cli = cliBeside(service)
  await service.createUser('ada')
  const name = '\x1b[31mred\x07 \u202e 👩‍💻 \u009b2J'
  const minted = await cli('key', 'mint', 'ada', name, '--json')
  t.is(minted.json().name, name)
  t.notRegex(minted.stdout.replaceAll('\n', ''), unsafe)

  const { api_key } = minted.json()
  const listed = await cli('key', 'list', 'ada')
  t.true(listed.stdout.includes('\\x1b[31mred\\x07 \\u{202e} 👩‍💻 \\x9b2J'), listed.stdout)
  t.notRegex(listed.stdout.replaceAll('\n', ''), unsafe)
  const revoked = await cli('key', 'revoke', 'ada', api_key)
  t.notRegex(revoked.stdout.replaceAll('\n', ''), unsafe)
})

onEachDatabase('a key-pair is renamed, and all are revoked', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id, 'Old')
  await service.mint(id, 'Other')
  const { access_token } = await service.exchange(pair)

  const renamed = await cli('key', 'rename', 'ada', pair.api_key, 'New', '--json')
  t.is(renamed.json().name, 'New')
  const validate = { headers: bearer(access_token) }
  t.is((await service.json('/wp/v2/token/validate', validate)).status, 200)

  const all = await cli('key', 'revoke-all', 'ada')
  t.is(all.stdout, '2 key-pairs of ada are revoked, with every token made from them.\n')
  t.is((await service.json('/wp/v2/token/validate', validate)).status, 403)
  t.is((await cli('key', 'revoke-all', 'ada', '--json')).stdout, '{"revoked":0}\n')
})

onSqlite(
  'what cannot be done with a key-pair is said, and nothing else printed',
  async (t, service) => {
    const cli = cliBeside(service)
    await service.createUser('ada')
    const refusals = [
      [['mint', 'ada', ' '], 'The key-pair name is required.'],
      [['mint', 'ada', 'x'.repeat(256)], 'NAME must have at most 255 characters.'],
      [['mint', 'bob', 'x'], 'There is no user "bob".'],
      [['rename', 'ada', '1x', 'x'], 'No active key-pair with this API key was found.'],
    ] as const
    for (const [args, message] of refusals) {
      const { code, stdout, stderr } = await cli('key', ...args, '--json')
      t.deepEqual([code, stdout, stderr], [1, '', `twinkey: ${message}\n`])
    }
  },
)
